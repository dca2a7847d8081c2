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

// commands are all of them, in the order in which the help lists them. A function,
// as some read the server's own flags, whose help lists commands.
func commands() []command {
	return []command{
		{"doctor", "[flags]: look for what would stop a big evening on this machine", runDoctor},
		{"health", "[flags]: whether the server on this machine answers; for scripts and containers", runHealth},
		{"backup", "FILE [flags]: copy the database, while the server runs", runBackup},
		{"restore", "FILE [flags]: put a backup in the database's place", runRestore},
		{"status", "[flags]: how the running server is", runStatus},
		{"players", "[SEARCH] [flags]: who is in the world", runPlayers},
		{"announce", "TEXT [flags]: say something to everybody", runAnnounce},
		{"kick", "NAME [REASON] [flags]: close a player's connection", runKick},
		{"mute", "NAME MINUTES [REASON] [flags]: keep a player from talking", runMute},
		{"unmute", "NAME [flags]: let it talk again", runUnmute},
		{"ban", "NAME|ADDRESS [REASON] [-for DURATION] [flags]: keep an account or an address out", runBan},
		{"unban", "NAME|ADDRESS [flags]: let them in again", runUnban},
		{"bans", "[flags]: who is banned", runBans},
		{"mutes", "[flags]: who is muted", runMutes},
		{"moderator", "NAME [-remove] [flags]: let an account moderate from the chat", runModerator},
		{"moderators", "[flags]: who may", runModerators},
		{"audit", "[flags]: what operators and moderators did", runAudit},
		{"admin-token", "[flags]: make a new token for the operator's page", runAdminToken},
		{"import-django", "OLD.sqlite3 [flags]: bring the users of a tutorial's server over", runImport},
	}
}

// findCommand returns the command that args name, nil when they are flags.
func findCommand(args []string) (*command, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return nil, nil
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return nil, fmt.Errorf("no command %q (see -h)", args[0])
	}
	return &all[i], nil
}
