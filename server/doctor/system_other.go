//go:build !linux

package doctor

import "errors"

var errElsewhere = errors.New("known on Linux only")

func diskOf(string) (disk, error) { return disk{}, errElsewhere }

func clockSynced() (bool, error) { return false, errElsewhere }
