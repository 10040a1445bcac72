// Server-sent events over fetch: unlike EventSource, it can send a token.

export interface ServerEvent {
  readonly name: string;
  readonly id: string;
  readonly data: string;
}

/** Takes a stream in pieces, cut anywhere, and gives the events that are complete. */
export class EventParser {
  private rest = "";
  private name = "";
  private id = "";
  private data: string[] = [];

  /** Return the events that end in this piece. */
  take(piece: string): ServerEvent[] {
    this.rest += piece;
    const lines = this.rest.split(/\r?\n/);
    this.rest = lines.pop() ?? "";
    const found: ServerEvent[] = [];
    for (const line of lines) {
      if (line === "") this.finish(found);
      else this.field(line);
    }
    return found;
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment, which keeps the connection alive
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.name = value;
    else if (name === "id") this.id = value;
    else if (name === "data") this.data.push(value);
  }

  private finish(found: ServerEvent[]): void {
    if (this.data.length) {
      found.push({ name: this.name || "message", id: this.id, data: this.data.join("\n") });
    }
    this.name = "";
    this.id = "";
    this.data = [];
  }
}

/** How long to wait before asking again: longer each time, up to a limit. */
export function delayBefore(attempt: number): number {
  return Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
}
