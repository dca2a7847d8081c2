package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// command is something that the program does instead of serving: its first
// argument names it.
type command struct {
	name  string
	usage string // one line: arguments and what it does
	run   func(args []string, out io.Writer) error
}

// commands are all of them, in the order in which the help lists them.
var commands []command

// findCommand returns the command that args name, nil when they are flags.
func findCommand(args []string) (*command, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return nil, nil
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return nil, fmt.Errorf("no command %q (see -h)", args[0])
	}
	return &commands[i], nil
}
