package moderation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"tavern/game"
)

// chatCommand is a chat that begins with a slash and its name.
type chatCommand struct {
	name      string
	arguments string
	what      string
	moderator bool // only they may
	run       func(d *Desk, ctx context.Context, by By, arguments string) (lines []string, err error)
}

// chatCommands are all of them, in the order in which /help lists them. It is
// filled in by init, as /help reads it.
var chatCommands []chatCommand

func init() {
	chatCommands = []chatCommand{
		{"help", "", "this list", false, (*Desk).helpCommand},
		{"who", "[PART OF A NAME]", "who is here", false, (*Desk).whoCommand},
		{"kick", "NAME [REASON]", "close a player's connection", true, (*Desk).kickCommand},
		{"mute", "NAME MINUTES [REASON]", "let a player not talk for a while", true, (*Desk).muteCommand},
		{"unmute", "NAME", "let it talk again", true, (*Desk).unmuteCommand},
		{"ban", "NAME [DAYS] [REASON]", "keep an account out, without DAYS for good", true, (*Desk).banCommand},
		{"unban", "NAME", "let it in again", true, (*Desk).unbanCommand},
		{"announce", "TEXT", "say something to everybody", true, (*Desk).announceCommand},
	}
}

// Offer takes a chat command and returns at once; false means that too many wait.
// It is for game.Config.Command: the loop may call it.
func (d *Desk) Offer(c game.Command) bool {
	select {
	case d.commands <- c:
		return true
	default:
		d.full.Add(1)
		return false
	}
}

// Run carries out chat commands, one after the other, until ctx is done.
func (d *Desk) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-d.commands:
			d.carryOut(ctx, c)
		}
	}
}

// wentWrong is all that a player is told of what is not its fault.
const wentWrong = "Something went wrong, try again in a moment"

// carryOut does what a chat command says and tells its sender.
func (d *Desk) carryOut(ctx context.Context, c game.Command) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	name, arguments, _ := strings.Cut(strings.TrimPrefix(c.Text, "/"), " ")
	name = strings.ToLower(name)
	defer func() {
		if cause := recover(); cause != nil { // the command was its sender's only
			d.panics.Add(1)
			d.log.Error("panic in a chat command", "command", cleaned(name, 32), "by", c.Name, "panic", cause, "stack", string(debug.Stack()))
			_ = d.hand(ctx, func(tx game.Tx) { tx.Tell(c.Player, wentWrong) })
		}
	}()
	by := By{name: c.Name, via: "chat", account: c.ID}
	lines, err := d.command(ctx, by, name, strings.TrimSpace(arguments))
	var r *Refusal
	switch {
	case err == nil:
	case errors.As(err, &r):
		lines = []string{r.Reason}
	case ctx.Err() != nil:
		return // the server stops, or the answer would come too late
	default:
		d.log.Error("a chat command failed", "command", name, "by", by.name, "error", err)
		lines = []string{wentWrong}
	}
	// It need not wait until the loop has told them, so that a crowd that asks for
	// help does not hold up a moderator.
	err = d.hand(ctx, func(tx game.Tx) {
		for _, line := range lines {
			tx.Tell(c.Player, line)
		}
	})
	if err != nil {
		d.log.Warn("a chat command was not answered", "command", name, "by", by.name, "error", err)
	}
}

func (d *Desk) command(ctx context.Context, by By, name, arguments string) ([]string, error) {
	i := slices.IndexFunc(chatCommands, func(c chatCommand) bool { return c.name == name })
	if i < 0 {
		return nil, refuse(NotFound, "There is no command /%s: /help lists them", cleaned(name, 32))
	}
	c := &chatCommands[i]
	if c.moderator && !d.allowed(by) {
		return nil, refuse(Forbidden, "Only moderators can do that")
	}
	lines, err := c.run(d, ctx, by, arguments)
	if errors.Is(err, errUsage) {
		return nil, refuse(Invalid, "It is: /%s %s", c.name, c.arguments)
	}
	return lines, err
}

// allowed tells whether by, who typed a chat command, is a moderator. A guest,
// whose account is 0, is none.
func (d *Desk) allowed(by By) bool { return by.account != 0 && d.Moderator(by.account) }

// errUsage says that the arguments are not those of the command.
var errUsage = errors.New("moderation: wrong arguments")

func (d *Desk) helpCommand(_ context.Context, by By, _ string) ([]string, error) {
	var lines []string
	for _, c := range chatCommands {
		if !c.moderator || d.allowed(by) {
			lines = append(lines, strings.TrimSpace("/"+c.name+" "+c.arguments)+" - "+c.what)
		}
	}
	if d.allowed(by) {
		lines = append(lines, `A name with spaces stands in quotation marks: /kick "Red Baron"`)
	}
	return lines, nil
}

const (
	// maxNamesBytes bounds what /who says: enough for a screen of chat.
	maxNamesBytes = 600
	// rosterAge is how old what /who says may be, so that everybody may ask.
	rosterAge = time.Second
)

// roster is who was in the world a moment ago. It belongs to Run's goroutine.
type roster struct {
	at     time.Time
	names  []string // of players, in order
	keys   []string // the same in lower case
	guests []string
}

// lately returns the roster, a fresh one if need be.
func (d *Desk) lately(ctx context.Context) (*roster, error) {
	r := &d.roster
	if now := d.now(); !r.at.IsZero() && now.Sub(r.at) < rosterAge && !now.Before(r.at) {
		return r, nil
	}
	everybody, err := d.Who(ctx)
	if err != nil {
		return nil, err
	}
	*r = roster{at: d.now()}
	SortByName(everybody)
	for _, p := range everybody {
		if p.ID == 0 {
			r.guests = append(r.guests, p.Name)
			continue
		}
		r.names = append(r.names, p.Name)
		r.keys = append(r.keys, strings.ToLower(p.Name))
	}
	return r, nil
}

func (d *Desk) whoCommand(ctx context.Context, _ By, part string) ([]string, error) {
	r, err := d.lately(ctx)
	if err != nil {
		return nil, err
	}
	names, guests := r.names, len(r.guests)
	if part = strings.ToLower(part); part != "" {
		names, guests = nil, 0
		for i, key := range r.keys {
			if strings.Contains(key, part) {
				names = append(names, r.names[i])
			}
		}
		for _, g := range r.guests {
			if strings.Contains(g, part) {
				guests++
			}
		}
	}
	said, n := "", 0
	for ; n < len(names) && len(said)+len(names[n]) < maxNamesBytes; n++ {
		if n > 0 {
			said += ", "
		}
		said += names[n]
	}
	if more := len(names) - n; more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	line := people(len(names), "player")
	if said != "" {
		line += ": " + said
	}
	if guests > 0 {
		line += "; " + people(guests, "guest")
	}
	return []string{line}, nil
}

func (d *Desk) kickCommand(ctx context.Context, by By, arguments string) ([]string, error) {
	name, reason := word(arguments)
	if name == "" {
		return nil, errUsage
	}
	return one(d.Kick(ctx, by, name, reason))
}

func (d *Desk) muteCommand(ctx context.Context, by By, arguments string) ([]string, error) {
	name, rest := word(arguments)
	minutes, reason := word(rest)
	n, err := strconv.ParseUint(minutes, 10, 31)
	if name == "" || err != nil || n == 0 {
		return nil, errUsage
	}
	return one(d.Mute(ctx, by, name, time.Duration(n)*time.Minute, reason))
}

func (d *Desk) unmuteCommand(ctx context.Context, by By, arguments string) ([]string, error) {
	name, rest := word(arguments)
	if name == "" || rest != "" {
		return nil, errUsage
	}
	return one(d.Unmute(ctx, by, name))
}

func (d *Desk) banCommand(ctx context.Context, by By, arguments string) ([]string, error) {
	name, reason := word(arguments)
	if name == "" {
		return nil, errUsage
	}
	span := time.Duration(0)
	days, rest := word(reason)
	if days != "" && strings.Trim(days, "-0123456789") == "" { // a number, so it is meant
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > int(maxSpan/(24*time.Hour)) {
			return nil, errUsage
		}
		span, reason = time.Duration(n)*24*time.Hour, rest
	}
	return one(d.Ban(ctx, by, name, span, reason))
}

func (d *Desk) unbanCommand(ctx context.Context, by By, arguments string) ([]string, error) {
	name, rest := word(arguments)
	if name == "" || rest != "" {
		return nil, errUsage
	}
	return one(d.Unban(ctx, by, name))
}

func (d *Desk) announceCommand(ctx context.Context, by By, text string) ([]string, error) {
	if text == "" {
		return nil, errUsage
	}
	return one(d.Announce(ctx, by, text))
}

func one(line string, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return []string{line}, nil
}
