package doctor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// fileSystems are those that are worth a word, by their magic number.
var fileSystems = map[int64]disk{
	unix.NFS_SUPER_MAGIC:       {kind: "NFS", remote: true},
	unix.SMB_SUPER_MAGIC:       {kind: "SMB", remote: true},
	unix.SMB2_SUPER_MAGIC:      {kind: "SMB", remote: true},
	unix.CIFS_SUPER_MAGIC:      {kind: "CIFS", remote: true},
	unix.AFS_SUPER_MAGIC:       {kind: "AFS", remote: true},
	unix.CEPH_SUPER_MAGIC:      {kind: "Ceph", remote: true},
	unix.V9FS_MAGIC:            {kind: "9P", remote: true},
	unix.TMPFS_MAGIC:           {kind: "tmpfs, in memory", volatile: true},
	unix.RAMFS_MAGIC:           {kind: "ramfs, in memory", volatile: true},
	unix.OVERLAYFS_SUPER_MAGIC: {kind: "overlay, of a container", volatile: true},
	unix.EXT4_SUPER_MAGIC:      {kind: "ext4"},
	unix.XFS_SUPER_MAGIC:       {kind: "XFS"},
	unix.BTRFS_SUPER_MAGIC:     {kind: "Btrfs"},
	unix.F2FS_SUPER_MAGIC:      {kind: "F2FS"},
	unix.FUSE_SUPER_MAGIC:      {kind: "FUSE"},
}

func diskOf(path string) (disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return disk{}, err
	}
	d, known := fileSystems[int64(uint32(st.Type))]
	if !known {
		d.kind = fmt.Sprintf("type %x", uint32(st.Type))
	}
	d.free = int64(st.Bavail) * int64(st.Bsize)
	d.inodes = -1
	if st.Files > 0 { // else the file system makes them as needed
		d.inodes = int64(st.Ffree)
	}
	d.readOnly = int64(st.Flags)&unix.ST_RDONLY != 0
	return d, nil
}

// clockSynced asks the kernel, which a time server's daemon tells.
func clockSynced() (bool, error) {
	const unsynchronised = 0x40 // STA_UNSYNC
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return false, errors.New("the kernel does not say")
	}
	return t.Status&unsynchronised == 0, nil
}
