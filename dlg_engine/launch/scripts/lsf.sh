#!/bin/bash
#BSUB -J @name@
#BSUB -n @ranks@
#BSUB -R "span[ptile=@ranks_per_node@]"
#BSUB -W @minutes@
#BSUB -o logs/job.log
#BSUB -rn
@directives@
# One process a rank is started by what runs here, on the first host of the job: `dlg job lead`.
# It ends with the result of the graph, and the job with it.

cd "${LS_SUBCWD:-.}" || exit 2
@setup@
exec @dlg@ job lead .
