// Builds the pages into the folder given: bundles, the files of `public`, the licences of all that
// went into the bundles, and a list with the digests of sources and results.
//
//   node build.mjs FOLDER
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
if (!folder) {
  process.stderr.write("node build.mjs FOLDER\n");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const result = await build({
  entryPoints: ["src/beat.ts", "src/cluster.ts", "src/session.ts", "src/tasks.ts"],
  outdir: folder,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  chunkNames: "shared-[hash]",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
});

for (const file of readdirSync("public").sort()) copyFileSync(join("public", file), join(folder, file));
writeFileSync(join(folder, "LICENSES.txt"), licences(Object.keys(result.metafile.inputs)));

const sources = ["build.mjs", "package.json", "package-lock.json", ...listed("src"), ...listed("public")];
const built = [
  ...Object.keys(result.metafile.outputs).map((path) => path.split("/").at(-1)),
  ...readdirSync("public"),
  "LICENSES.txt",
].sort();
const list = {
  sources: Object.fromEntries(sources.sort().map((file) => [file, digest(file)])),
  built: Object.fromEntries(built.map((file) => [file, digest(join(folder, file))])),
};
writeFileSync(join(folder, "built.json"), JSON.stringify(list, null, 1) + "\n");

function listed(name) {
  const found = readdirSync(name, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function digest(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** Return the names, versions and licences of the packages that `inputs` come from. */
function licences(inputs) {
  const names = new Set();
  for (const input of inputs) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) names.add(match[1]);
  }
  const parts = [...names].sort().map((name) => {
    const home = join("node_modules", name);
    const about = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const file = readdirSync(home).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} comes without its licence`);
    const text = readFileSync(join(home, file), "utf8").trim();
    return `${name} ${about.version} (${about.license})\n${"=".repeat(72)}\n\n${text}\n`;
  });
  return `Libraries in the scripts of these pages.\n\n${parts.join("\n\n")}`;
}
