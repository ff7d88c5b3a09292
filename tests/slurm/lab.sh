#!/bin/bash
# A real SLURM with accounting on this one machine, for tests: two virtual nodes (cpu1, gpu1); partition
# gpu has the second, partition cpu has both and takes the first while it can.
#
#   lab.sh check          is everything here that the lab needs?  (rc 3 and what to do, if not)
#   lab.sh start FOLDER   start it; all state lies in FOLDER
#   lab.sh stop FOLDER    cancel its jobs, stop the processes that `start` began (by their ids), remove its configuration
#
# Installs nothing. Needs root, because SLURM's clients look for their configuration in /etc/slurm and nowhere else once Snakemake
# has cleared the environment; a configuration that is not the lab's is left alone. The GPUs are null devices.
set -u
ETC=/etc/slurm
MARK="# made by tests/slurm/lab.sh"
PACKAGES="slurm-wlm slurmctld slurmd slurm-client slurmdbd munge mariadb-server slurm-wlm-basic-plugins slurm-wlm-mysql-plugin"
export PATH="$PATH:/usr/sbin:/sbin"

refuse() { echo "$1" >&2; exit 3; }

check() {
    local missing="" program
    [ "$(id -u)" = 0 ] || refuse "The SLURM lab needs root: it writes $ETC/slurm.conf and starts SLURM's daemons."
    for program in munged mariadbd mariadb-install-db mariadb slurmdbd slurmctld slurmd sbatch sacct sacctmgr; do
        command -v "$program" > /dev/null || missing="$missing $program"
    done
    [ -z "$missing" ] || refuse "Missing:$missing. On Debian: apt-get install --no-install-recommends $PACKAGES"
    for file in slurm.conf slurmdbd.conf gres.conf; do
        if [ -e "$ETC/$file" ] && ! head -1 "$ETC/$file" | grep -q "^$MARK"; then
            refuse "$ETC/$file is another SLURM's: the lab does not touch it."
        fi
    done
}

free_ports() { # so many ports that nobody listens on
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*[each.getsockname()[1] for each in sockets])
PYTHON
}

begin() { # name, command ...: start a daemon of its own session, and note its process id
    local name=$1; shift
    setsid "$@" > "$LAB/log/$name.out" 2>&1 < /dev/null &
    echo "$! $(basename "$1")" >> "$LAB/pids"
}

wait_for() { # what, command ...: until the command succeeds, 60 s at most
    local what=$1; shift
    for _ in $(seq "${TRIES:-30}"); do
        timeout 10 "$@" > /dev/null 2>&1 && return
        sleep 0.5
    done
    echo "The lab's $what did not come up; see $LAB/log" >&2
    tail -n 5 "$LAB"/log/* >&2
    stop
    exit 1
}

configure() {
    local host secret
    host=$(hostname -s)
    secret=$(head -c 18 /dev/urandom | base64 | tr -dc 'a-zA-Z0-9')
    read -r CTLD DBD SQL CPU GPU <<< "$(free_ports 5)"
    mkdir -p "$ETC" "$LAB"/{log,db,spool/ctld,spool/cpu1,spool/gpu1,run}
    chmod 755 "$LAB" "$LAB/run" "$LAB/spool"
    mknod "$LAB/gpu0" c 1 3
    mknod "$LAB/gpu1" c 1 3
    head -c 1024 /dev/urandom > "$LAB/munge.key"
    chmod 400 "$LAB/munge.key"
    echo "$secret" > "$LAB/secret"
    cat > "$ETC/slurm.conf" <<CONF
$MARK
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$CTLD
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$LAB/run/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
# memory: a job that is over its request is killed at the next look
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
ReturnToService=2
SlurmctldPidFile=$LAB/run/slurmctld.pid
SlurmdPidFile=$LAB/run/slurmd.%n.pid
SlurmdSpoolDir=$LAB/spool/%n
StateSaveLocation=$LAB/spool/ctld
SlurmctldLogFile=$LAB/log/slurmctld.log
SlurmdLogFile=$LAB/log/slurmd.%n.log
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MinJobAge=300
KillWait=5
AccountingStorageType=accounting_storage/slurmdbd
AccountingStoragePass=$LAB/run/munge.socket
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$DBD
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=cpu1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$CPU CPUs=4 RealMemory=12000 State=UNKNOWN
NodeName=gpu1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$GPU CPUs=4 RealMemory=12000 Gres=gpu:lab:2 Weight=10 State=UNKNOWN
PartitionName=cpu Nodes=cpu1,gpu1 Default=YES MaxTime=24:00:00 DefMemPerCPU=500 State=UP
PartitionName=gpu Nodes=gpu1 Default=NO MaxTime=24:00:00 DefMemPerCPU=500 State=UP
CONF
    cat > "$ETC/gres.conf" <<CONF
$MARK
NodeName=gpu1 Name=gpu Type=lab File=$LAB/gpu[0-1] Flags=nvidia_gpu_env
CONF
    cat > "$ETC/slurmdbd.conf" <<CONF
$MARK
AuthType=auth/munge
AuthInfo=socket=$LAB/run/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$DBD
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$SQL
StorageUser=slurm
StoragePass=$secret
StorageLoc=slurm_acct_db
LogFile=$LAB/log/slurmdbd.log
PidFile=$LAB/run/slurmdbd.pid
CONF
    chmod 600 "$ETC/slurmdbd.conf"
}

start() {
    check
    [ ! -e "$LAB/pids" ] || refuse "$LAB holds a lab that was not stopped: lab.sh stop $LAB"
    if [ -e "$ETC/slurm.conf" ] && timeout 5 scontrol ping 2> /dev/null | grep -q "is UP"; then
        refuse "Another lab is running (see $ETC/slurm.conf); stop it first."
    fi
    mkdir -p "$LAB"
    configure
    begin munged "$(command -v munged)" --foreground --force --key-file="$LAB/munge.key" --socket="$LAB/run/munge.socket" \
        --pid-file="$LAB/run/munged.pid" --log-file="$LAB/log/munged.log" --seed-file="$LAB/munge.seed"
    wait_for munged munge -n -S "$LAB/run/munge.socket"
    mariadb-install-db --no-defaults --user=root --datadir="$LAB/db" --skip-test-db > "$LAB/log/install-db.out" 2>&1
    begin mariadbd "$(command -v mariadbd)" --no-defaults --user=root --datadir="$LAB/db" --socket="$LAB/run/sql" \
        --pid-file="$LAB/run/sql.pid" --bind-address=127.0.0.1 --port="$SQL" --skip-name-resolve --innodb-buffer-pool-size=64M
    wait_for mariadbd mariadb --no-defaults --socket="$LAB/run/sql" -e "select 1"
    mariadb --no-defaults --socket="$LAB/run/sql" -e "create database slurm_acct_db;
        grant all on slurm_acct_db.* to 'slurm'@'127.0.0.1' identified by '$(cat "$LAB/secret")';"
    begin slurmdbd "$(command -v slurmdbd)" -D
    wait_for slurmdbd sacctmgr -n list cluster
    sacctmgr -i add cluster lab > "$LAB/log/sacctmgr.out" 2>&1
    sacctmgr -i add account lab >> "$LAB/log/sacctmgr.out" 2>&1
    sacctmgr -i add user "$(id -un)" account=lab >> "$LAB/log/sacctmgr.out" 2>&1
    begin slurmctld "$(command -v slurmctld)" -D
    begin slurmd-cpu1 "$(command -v slurmd)" -D -N cpu1
    begin slurmd-gpu1 "$(command -v slurmd)" -D -N gpu1
    wait_for "first job in partition cpu" timeout 20 srun -p cpu true
    wait_for "first job in partition gpu" timeout 20 srun -p gpu --gres=gpu:1 true
    echo "The lab is up: $(sinfo --noheader -o '%P %N %C %m MB %G' | tr '\n' ';')"
}

ours() { [ "$(cat "/proc/$1/comm" 2> /dev/null)" = "$2" ]; } # the process of this id still has the program's name

stop() {
    [ -e "$LAB/pids" ] || return 0
    timeout 20 scancel --user="$(id -un)" 2> /dev/null
    for _ in $(seq 30); do
        [ -n "$(timeout 10 squeue --noheader 2> /dev/null)" ] || break
        sleep 1
    done
    local pid name
    tac "$LAB/pids" | while read -r pid name; do
        ours "$pid" "$name" && kill "$pid"
        for _ in $(seq 40); do
            ours "$pid" "$name" || break
            sleep 0.5
        done
        ours "$pid" "$name" && kill -9 "$pid"
    done
    for file in slurm.conf slurmdbd.conf gres.conf; do
        head -1 "$ETC/$file" 2> /dev/null | grep -q "^$MARK" && rm -f "$ETC/$file"
    done
    rm -f "$LAB/pids" "$LAB/secret" "$LAB/munge.key"
}

LAB=${2:-}
case ${1:-} in
    check) check ;;
    start | stop)
        [ -n "$LAB" ] || refuse "usage: lab.sh $1 FOLDER"
        mkdir -p "$LAB"
        LAB=$(cd "$LAB" && pwd)
        "$1"
        ;;
    *) refuse "usage: lab.sh check | start FOLDER | stop FOLDER" ;;
esac
