package target

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Host is what the whole machine has done so far: to see who else worked during a
// measurement.
type Host struct {
	Busy   time.Duration // of all processors together
	Stolen time.Duration // by other virtual machines
}

// ReadHost reads the machine's processor times.
func ReadHost() (Host, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Host{}, fmt.Errorf("target: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return parseHost(line)
}

// parseHost reads the line "cpu user nice system idle iowait irq softirq steal …".
func parseHost(line string) (Host, error) {
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return Host{}, fmt.Errorf("target: cannot read /proc/stat: %q", line)
	}
	var h Host
	for i, text := range fields[1:9] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Host{}, fmt.Errorf("target: /proc/stat: %w", err)
		}
		switch took := time.Duration(n) * clockTick; i {
		case 3, 4: // idle, waiting for a disk
		case 7:
			h.Stolen = took
		default:
			h.Busy += took
		}
	}
	return h, nil
}
