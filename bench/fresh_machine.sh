# Runs as process 1 of the fresh machine's namespaces: FOLDER ADDRESS. Its root is an overlay over the host's, so nothing
# that is written reaches the host; what a fresh machine would not have is hidden, what is big lies in FOLDER on the disk.
set -eu
folder=$1 address=$2
hostname fresh
mount -t tmpfs -o mode=755 tmpfs "$folder/mnt"
mkdir "$folder/mnt/upper" "$folder/mnt/work" "$folder/mnt/root"
mount -t overlay -o "lowerdir=/,upperdir=$folder/mnt/upper,workdir=$folder/mnt/work" overlay "$folder/mnt/root"
root=$folder/mnt/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
for controller in $CONTROLLERS; do
  mkdir "$root/sys/fs/cgroup/$controller"
  mount -t cgroup -o "$controller" cgroup "$root/sys/fs/cgroup/$controller"
done
mount -t tmpfs -o mode=755 tmpfs "$root/run"; mkdir "$root/run/lock"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/var/lib/docker" "$root/etc/docker"
mount --bind "$folder/docker" "$root/var/lib/docker"
mount --bind "$folder/etc-docker" "$root/etc/docker"
# one mount for all three, so that links between them work as on one disk
mount --bind "$folder/disk" "$root/srv"
mount --bind "$folder/disk/home" "$root/root"
printf '127.0.0.1 localhost\n%s fresh\n' "$address" > "$root/etc/hosts"
mkdir "$root/.old"; cd "$root"; pivot_root . .old; umount -l /.old; rmdir /.old
cd /
echo ready
exec </dev/null >/dev/null 2>&1
while :; do sleep 3600; done # bash takes in the orphans
