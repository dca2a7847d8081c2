package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3"

	"tavern/game/account"
	"tavern/server/admin"
	"tavern/server/moderation"
)

// remote is a command that asks a running server through the operator's API.
type remote struct {
	fs     *flag.FlagSet
	about  string
	admin  *string
	token  *string
	asJSON *bool
}

func newRemote(name, about string) *remote {
	fs := commandFlags(name)
	return &remote{
		fs: fs, about: about,
		admin:  fs.String("admin", defaultAdmin, "`host:port` or URL of the running server's operator page"),
		token:  fs.String("token", "", "the operator's `token`; better in TAVERN_ADMIN_TOKEN, where nobody else on this machine sees it"),
		asJSON: fs.Bool("json", false, "print the server's answer as JSON"),
	}
}

// parse reads the arguments: so many words or more, with flags before, between
// and after them; all behind -- are words.
func (r *remote) parse(args []string, out io.Writer, least int, missing string) ([]string, error) {
	var words, rest []string
	for i, arg := range args {
		if arg == "--" {
			args, rest = args[:i], args[i+1:]
			break
		}
	}
	for len(args) > 0 {
		err := r.fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			commandHelp(r.fs, out, r.about)
			return nil, flag.ErrHelp
		}
		if err != nil {
			return nil, fmt.Errorf("%w (see -h; put -- before words that begin with a dash)", err)
		}
		if args = r.fs.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	words = append(words, rest...)
	if len(words) < least {
		return nil, fmt.Errorf("%s is missing (see -h)", missing)
	}
	if err := ff.Parse(r.fs, nil, ff.WithEnvVarPrefix("TAVERN")); err != nil {
		return nil, fmt.Errorf("%w (see -h)", err)
	}
	return words, nil
}

// client is the way to the server.
func (r *remote) client() (*admin.Client, error) {
	token := *r.token
	if token == "" {
		token = os.Getenv("TAVERN_ADMIN_TOKEN")
	}
	if token == "" {
		return nil, errors.New("the token is missing: set TAVERN_ADMIN_TOKEN (the command admin-token makes a new one)")
	}
	operator := ""
	if u, err := user.Current(); err == nil {
		operator = u.Username
	}
	return admin.NewClient(*r.admin, token, operator)
}

// do carries out an action and prints what was done.
func (r *remote) do(out io.Writer, action string, what any) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	done, err := c.Do(ctx, action, what)
	switch {
	case err != nil:
		return err
	case *r.asJSON:
		return printJSON(out, map[string]string{"done": done})
	}
	_, err = fmt.Fprintln(out, printable(done)+".")
	return err
}

// target is the body of most actions; see admin's API.md.
type target struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	For     string `json:"for,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

const kickAbout = `
Closes a player's connection, with a reason that the player reads. It may come again at once.

    tavern kick bob
    tavern kick "Red Baron" stop shooting
`

func runKick(args []string, out io.Writer) error {
	r := newRemote("kick", kickAbout)
	words, err := r.parse(args, out, 1, "a name")
	if err != nil {
		return err
	}
	return r.do(out, "kick", target{Name: words[0], Reason: strings.Join(words[1:], " ")})
}

const muteAbout = `
Keeps a player from talking, for so many minutes or another duration, with a reason that the
player reads. It holds over restarts.

    tavern mute bob 10 too loud
    tavern mute bob 2d
`

func runMute(args []string, out io.Writer) error {
	r := newRemote("mute", muteAbout)
	words, err := r.parse(args, out, 2, "a name or a duration")
	if err != nil {
		return err
	}
	span := words[1]
	if _, err := strconv.Atoi(span); err == nil {
		span += "m"
	}
	return r.do(out, "mute", target{Name: words[0], For: span, Reason: strings.Join(words[2:], " ")})
}

const unmuteAbout = `
Lets a player talk again.

    tavern unmute bob
`

func runUnmute(args []string, out io.Writer) error {
	r := newRemote("unmute", unmuteAbout)
	words, err := r.parse(args, out, 1, "a name")
	if err != nil {
		return err
	}
	return r.do(out, "unmute", target{Name: strings.Join(words, " ")})
}

const banAbout = `
Keeps an account out, or all who come from an address or network, for good or for a time,
with a reason that they read. A single IPv6 address means its /64. Who is inside is closed.

    tavern ban bob -for 7d selling gold
    tavern ban 198.51.100.7
    tavern ban 2001:db8:1::/48 -for 12h raid
`

func runBan(args []string, out io.Writer) error {
	r := newRemote("ban", banAbout)
	span := r.fs.String("for", "", "for how long, a `duration` like 12h, 7d or 2w; empty = for good")
	asName := r.fs.Bool("name", false, "it is a name, even if it looks like an address")
	words, err := r.parse(args, out, 1, "a name or an address")
	if err != nil {
		return err
	}
	t := whomTo(words[0], *asName)
	t.For, t.Reason = *span, strings.Join(words[1:], " ")
	return r.do(out, "ban", t)
}

const unbanAbout = `
Lets an account, an address or a network in again.

    tavern unban bob
    tavern unban 198.51.100.0/24
`

func runUnban(args []string, out io.Writer) error {
	r := newRemote("unban", unbanAbout)
	asName := r.fs.Bool("name", false, "it is a name, even if it looks like an address")
	words, err := r.parse(args, out, 1, "a name or an address")
	if err != nil {
		return err
	}
	return r.do(out, "unban", whomTo(strings.Join(words, " "), *asName))
}

// whomTo tells names from addresses.
func whomTo(word string, isName bool) target {
	if _, err := moderation.ParseNetwork(word); err == nil && !isName {
		return target{Address: word}
	}
	return target{Name: word}
}

const announceAbout = `
Says something to everybody in the server's name.

    tavern announce The server restarts at midnight
`

func runAnnounce(args []string, out io.Writer) error {
	r := newRemote("announce", announceAbout)
	words, err := r.parse(args, out, 1, "a text")
	if err != nil {
		return err
	}
	return r.do(out, "announce", map[string]string{"text": strings.Join(words, " ")})
}

const moderatorAbout = `
Makes an account a moderator's, whose chat commands kick, mute, ban and announce, or takes
that away.

    tavern moderator ann
    tavern moderator ann -remove
`

func runModerator(args []string, out io.Writer) error {
	r := newRemote("moderator", moderatorAbout)
	remove := r.fs.Bool("remove", false, "take the role away")
	words, err := r.parse(args, out, 1, "a name")
	if err != nil {
		return err
	}
	return r.do(out, "moderators", map[string]any{"name": strings.Join(words, " "), "moderator": !*remove})
}

const adminTokenAbout = `
Makes a new token for the operator's page and API, prints it, and forgets the one before,
whose logins end at once. The server may run or not. A server that is started with
-admin-token has that one and no other.

    tavern admin-token
`

func runAdminToken(args []string, out io.Writer) error {
	fs := commandFlags("admin-token")
	db := fs.String("db", "tavern.db", "the server's database `file`")
	if _, err := parseCommand(fs, args, out, adminTokenAbout, 0); err != nil {
		return err
	}
	if _, err := os.Stat(*db); err != nil { // Open would make one
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	store, err := account.Open(ctx, account.Config{Path: *db, Workers: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	token, err := admin.NewToken(ctx, store, "command")
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(err, store.Close(closing)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}
