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

# When the time is over LSF sends USR2 to all that belongs to the job, and kills what is left ten
# minutes later. Nobody but this shell heeds that: it tells the lead, which cancels the session and
# keeps what there is.
trap 'kill -TERM "$!"' USR2
trap : INT TERM # of bkill: the lead has them too, and this shell waits for it
(trap "" USR2 && exec @dlg@ job lead .) &
lead=$!
wait "$lead"
code=$?
while kill -0 "$lead" 2>/dev/null; do # a signal has come, and not the end
    wait "$lead"
    code=$?
done
exit "$code"
