#!/bin/bash
#PBS -N @name@
#PBS -l select=@nodes@:ncpus=@cpus_per_node@:mpiprocs=@ranks_per_node@
#PBS -l walltime=@walltime@
#PBS -o logs/job.log
#PBS -j oe
#PBS -r n
@directives@
# One process a rank is started by what runs here, on the first host of the job: `dlg job lead`.
# It ends with the result of the graph, and the job with it.

cd "${PBS_O_WORKDIR:-.}" || exit 2
@setup@
exec @dlg@ job lead .
