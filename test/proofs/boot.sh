#!/bin/sh
# Becomes the first process of a machine: boot.sh <root> <empty folder> systemd|sleep [<rule of binfmt_misc>]
# Runs in namespaces of its own. What it writes is in memory, above the root, and gone with it.
set -eu
root=$1 work=$2 init=$3 rule=${4-}
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
if [ -n "$rule" ]; then
  mkdir "$work/binfmt"
  mount -t binfmt_misc binfmt_misc "$work/binfmt"
  printf '%s' "$rule" >"$work/binfmt/register"
fi
mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" overlay "$work/root"
cd "$work/root"
mkdir -p proc sys dev run tmp .old
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
if [ "$init" = systemd ]; then
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  mount -t tmpfs tmpfs dev/shm
  mount -t tmpfs -o mode=755 tmpfs run
  ip link set lo up
  set -- /lib/systemd/systemd --show-status=no systemd.unified_cgroup_hierarchy=1
else
  set -- sleep 1000000
fi
pivot_root . .old
# shellcheck disable=SC2016
exec env -i container=proof PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c 'umount -l /.old && rmdir /.old && echo ready && exec "$@"' sh "$@" </dev/null
