#!/bin/bash
# The job @name@ of @ranks@ ranks, without a batch system: all run on this machine.
# It ends with the result of the graph.
@directives@
cd "$(dirname "$0")" || exit 2
@setup@
exec @dlg@ job lead . >logs/job.log 2>&1
