#!/bin/bash
#SBATCH --job-name=@name@
#SBATCH --nodes=@nodes@
#SBATCH --ntasks-per-node=@ranks_per_node@
#SBATCH --time=@minutes@
#SBATCH --output=logs/job.log
#SBATCH --error=logs/job.log
#SBATCH --no-requeue
#SBATCH --signal=B:TERM@@grace_s@
@directives@
# One process a rank is started by what runs here, on the first host of the job: `dlg job lead`.
# It ends with the result of the graph, and the job with it. Shortly before the time is over it is
# told so, cancels the session and keeps what there is; so does  scancel --batch --signal=TERM.

cd "${SLURM_SUBMIT_DIR:-.}" || exit 2
@setup@
exec @dlg@ job lead .
