package main

import (
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHotSettingsAreTold: the packaged file lists the settings that change while
// people play, with their defaults, and the guide has a line for every setting,
// on the side where it belongs.
func TestHotSettingsAreTold(t *testing.T) {
	cfg, err := parseConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(maps.Keys(hot))
	file, err := os.ReadFile("../scripts/package/tavern.toml")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, line := range regexp.MustCompile(`(?m)^# ([a-z-]+) = (.+)$`).FindAllStringSubmatch(string(file), -1) {
		listed = append(listed, line[1])
		if value := strings.Trim(line[2], `"`); value != cfg.values[line[1]] {
			t.Errorf("tavern.toml has %s = %s, the default is %q", line[1], line[2], cfg.values[line[1]])
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Errorf("tavern.toml lists %v, hot are %v", listed, want)
	}
	// Without the comment signs it is a file that the server takes.
	path := t.TempDir() + "/tavern.toml"
	writeConfig(t, path, regexp.MustCompile(`(?m)^# ([a-z-]+ = .+)$`).ReplaceAllString(string(file), "$1"))
	if _, err := parseConfig([]string{"-config", path}, io.Discard); err != nil {
		t.Errorf("tavern.toml: %v", err)
	}

	guide, err := os.ReadFile("guides/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	atOnce, later, ok := strings.Cut(string(guide), "\n## What waits for a restart")
	if !ok {
		t.Fatal("the guide has not the two parts")
	}
	names := func(part string) (names []string) {
		for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|").FindAllStringSubmatch(part, -1) {
			for _, name := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(row[1], -1) {
				names = append(names, name[1])
			}
		}
		slices.Sort(names)
		return names
	}
	if got := names(atOnce); !slices.Equal(got, want) {
		t.Errorf("the guide has at once %v, hot are %v", got, want)
	}
	var cold []string
	for name := range cfg.values {
		if hot[name] == nil {
			cold = append(cold, name)
		}
	}
	slices.Sort(cold)
	if got := names(later); !slices.Equal(got, cold) {
		t.Errorf("the guide has for a restart %v, cold are %v", got, cold)
	}
}

// TestLongestText: the longest text and name are within the default length of a
// message, as usual JSON encoders write them.
func TestLongestText(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	ann, _ := enter(t, s, "ann")
	ben, _ := enter(t, s, "ben")
	name := strings.Repeat(`\u00fc`, 64) // 128 bytes
	for _, c := range []struct{ kind, text string }{
		{"as it is", strings.Repeat("ü", 512)},
		{"two bytes as six", strings.Repeat(`\u00fc`, 512)},
		{"three bytes as six", strings.Repeat(`\u20ac`, 341)},
		{"four bytes as twelve", strings.Repeat(`\ud83d\ude00`, 256)},
		{"quotes", strings.Repeat(`\"`, 1024)},
	} {
		ben.say(`{"a": "Chat", "p0": "%s", "p1": "%s"}`, name, c.text)
		ann.await(c.kind, func(h *heard) bool { return h.action == "Chat" })
		ann.say(`{"a":"Chat","p0":"","p1":"%s"}`, "go on")
		ben.awaitChat("ann: go on")
	}
	s.counted(t, `ws_faults_total{rule="too_big"}`, "0")
}
