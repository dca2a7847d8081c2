package moderation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"tavern/game"
	"tavern/game/account"
)

// account finds the account of a name on which by may act.
func (d *Desk) account(ctx context.Context, by By, name string) (account.Account, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return account.Account{}, refuse(Invalid, "Say whom: the name is missing")
	}
	a, err := d.store.Named(ctx, name)
	switch {
	case errors.Is(err, account.ErrNoAccount):
		return a, refuse(NotFound, "Nobody is called %q", cleaned(name, 64))
	case err != nil:
		return a, err
	case by.operator:
		return a, nil
	case a.ID == by.account:
		return a, refuse(Forbidden, "That is you")
	case d.Moderator(a.ID):
		return a, refuse(Forbidden, "%s is a moderator: only the operator can do that", a.Name)
	}
	return a, nil
}

// Kick closes the connection of a player or guest, who may come again at once. It
// returns what was done, in a sentence, as do the others here. Errors that
// whoever asked should read are Refusals.
func (d *Desk) Kick(ctx context.Context, by By, name, reason string) (string, error) {
	reason = cleaned(reason, maxReasonBytes)
	a, err := d.account(ctx, by, name)
	who := byAccount(a.ID)
	var r *Refusal
	number, guest := guestNumber(strings.TrimSpace(name))
	if guest && errors.As(err, &r) && r.Kind == NotFound {
		a.Name, err = fmt.Sprint("guest-", number), nil
		who = byGuest(number)
	}
	if err != nil {
		return "", err
	}
	there, err := d.find(ctx, who)
	if err != nil {
		return "", err
	}
	if len(there) == 0 {
		return "", refuse(NotFound, "%s is not here", a.Name)
	}
	e := d.entry(by, "kick", a.Name, reason)
	if err := d.store.Record(ctx, e); err != nil {
		return "", err
	}
	for _, in := range there {
		d.kicked.Add(1)
		in.farewell(because("You were kicked", reason))
	}
	d.count(e)
	return a.Name + " was kicked", nil
}

// Ban keeps an account out, for a time or, when that is 0, for good.
func (d *Desk) Ban(ctx context.Context, by By, name string, span time.Duration, reason string) (string, error) {
	a, err := d.account(ctx, by, name)
	if err != nil {
		return "", err
	}
	b := account.Ban{Account: a.ID, Name: a.Name}
	return d.ban(ctx, by, b, a.Name, span, reason, byAccount(a.ID))
}

// BanNetwork keeps an address or a network out.
func (d *Desk) BanNetwork(ctx context.Context, by By, network netip.Prefix, span time.Duration, reason string) (string, error) {
	if !by.operator {
		return "", refuse(Forbidden, "Only the operator can ban addresses")
	}
	return d.ban(ctx, by, account.Ban{Network: network}, networkWords(network), span, reason, byNetwork(network))
}

func (d *Desk) ban(ctx context.Context, by By, b account.Ban, target string, span time.Duration, reason string, who finder) (string, error) {
	if span < 0 || span > maxSpan {
		return "", refuse(Invalid, "A ban lasts at most a hundred years, or for good")
	}
	now := onSecond(d.now())
	b.Reason, b.By, b.At, b.Forget = cleaned(reason, maxReasonBytes), by.name, now, d.surelyPast(now)
	if span > 0 {
		b.Until = now.Add(max(span.Round(time.Second), time.Second))
	}
	e := d.entry(by, "ban", target, because(untilWords(b.Until), b.Reason))
	b, err := d.store.PutBan(ctx, b, e)
	if err != nil {
		return "", err
	}
	d.rules.putBan(b, now)
	d.count(e)
	done := target + " is banned " + untilWords(b.Until)
	n, err := d.expel(ctx, who, banSentence(b))
	if err != nil {
		return "", half(done, err)
	}
	if n > 0 {
		done += "; " + people(n, "connection") + " closed"
	}
	return done, nil
}

// onSecond is the beginning of t's second, which is what the database keeps. It
// keeps the monotonic reading, which Truncate would drop: a ban or mute lasts as
// long as was said also when somebody sets the clock meanwhile.
func onSecond(t time.Time) time.Time { return t.Add(-time.Duration(t.Nanosecond())) }

// surelyPast is now, or what time it would be if nobody had set the clock since the
// start when that is earlier: what is forgotten does not come back when the clock
// is set right.
func (d *Desk) surelyPast(now time.Time) time.Time {
	if kept := d.began.Round(0).Add(now.Sub(d.began)); kept.Before(now.Round(0)) {
		return kept
	}
	return now
}

// half is the error for what is kept but has not reached the world.
func half(done string, err error) error {
	return refuse(Busy, "%s, but who is in the world now stays as it is: %v", done, err)
}

// Unban lets an account in again.
func (d *Desk) Unban(ctx context.Context, by By, name string) (string, error) {
	a, err := d.account(ctx, by, name)
	if err != nil {
		return "", err
	}
	b, banned := d.rules.banOf(a.ID, d.now())
	return d.unban(ctx, by, b, banned, a.Name)
}

// UnbanNetwork lifts the ban of precisely this network.
func (d *Desk) UnbanNetwork(ctx context.Context, by By, network netip.Prefix) (string, error) {
	if !by.operator {
		return "", refuse(Forbidden, "Only the operator can do that")
	}
	for _, b := range d.Bans() {
		if b.Account == 0 && b.Network == network {
			return d.unban(ctx, by, b, true, networkWords(network))
		}
	}
	return d.unban(ctx, by, account.Ban{}, false, networkWords(network))
}

func (d *Desk) unban(ctx context.Context, by By, b account.Ban, banned bool, target string) (string, error) {
	if !banned {
		return "", refuse(NotFound, "%s is not banned", target)
	}
	e := d.entry(by, "unban", target, "")
	if err := d.store.LiftBan(ctx, b.ID, e); err != nil {
		return "", err
	}
	d.rules.liftBan(b)
	d.count(e)
	return target + " is no longer banned", nil
}

// Mute keeps an account from talking for a time.
func (d *Desk) Mute(ctx context.Context, by By, name string, span time.Duration, reason string) (string, error) {
	if span <= 0 || span > maxSpan {
		return "", refuse(Invalid, "Say for how long, at most a hundred years")
	}
	a, err := d.account(ctx, by, name)
	if err != nil {
		if _, guest := guestNumber(strings.TrimSpace(name)); guest {
			return "", refuse(NotFound, "Guests cannot be muted, only kicked")
		}
		return "", err
	}
	now := onSecond(d.now())
	span = max(span.Round(time.Second), time.Second)
	m := account.Mute{Account: a.ID, Name: a.Name, Reason: cleaned(reason, maxReasonBytes), By: by.name, At: now, Forget: d.surelyPast(now)}
	m.Until = m.At.Add(span)
	e := d.entry(by, "mute", a.Name, because("for "+spanWords(span), m.Reason))
	if err := d.store.PutMute(ctx, m, e); err != nil {
		return "", err
	}
	d.rules.putMute(m, now)
	d.count(e)
	done := a.Name + " is muted for " + spanWords(span)
	told := because("You are muted for "+spanWords(span), m.Reason)
	if err := d.set(ctx, a.ID, told, func(tx game.Tx, p *game.Player) { tx.Mute(p, m.Until) }); err != nil {
		return "", half(done, err)
	}
	return done, nil
}

// Unmute lets an account talk again.
func (d *Desk) Unmute(ctx context.Context, by By, name string) (string, error) {
	a, err := d.account(ctx, by, name)
	if err != nil {
		return "", err
	}
	if d.MutedUntil(a.ID).IsZero() {
		return "", refuse(NotFound, "%s is not muted", a.Name)
	}
	e := d.entry(by, "unmute", a.Name, "")
	if err := d.store.LiftMute(ctx, a.ID, e); err != nil {
		return "", err
	}
	d.rules.liftMute(a.ID)
	d.count(e)
	done := a.Name + " may talk again"
	if err := d.set(ctx, a.ID, "You may talk again", func(tx game.Tx, p *game.Player) { tx.Mute(p, time.Time{}) }); err != nil {
		return "", half(done, err)
	}
	return done, nil
}

// SetModerator makes an account a moderator's, or takes that away.
func (d *Desk) SetModerator(ctx context.Context, by By, name string, is bool) (string, error) {
	if !by.operator {
		return "", refuse(Forbidden, "Only the operator can do that")
	}
	a, err := d.account(ctx, by, name)
	if err != nil {
		return "", err
	}
	if d.Moderator(a.ID) == is {
		if is {
			return "", refuse(Invalid, "%s is a moderator already", a.Name)
		}
		return "", refuse(NotFound, "%s is no moderator", a.Name)
	}
	details, done, told := "moderator", a.Name+" is a moderator now", "You are a moderator now. /help tells what you can do"
	a.Role = account.RoleModerator
	if !is {
		details, done, told = "none", a.Name+" is no moderator any more", "You are no moderator any more"
		a.Role = ""
	}
	e := d.entry(by, "role", a.Name, details)
	if err := d.store.SetRole(ctx, a.ID, a.Role, e); err != nil {
		return "", err
	}
	d.rules.setRole(a)
	d.count(e)
	if err := d.set(ctx, a.ID, told, func(tx game.Tx, p *game.Player) { tx.SetModerator(p, is) }); err != nil {
		return "", half(done, err)
	}
	return done, nil
}

// set changes a player if it is in the world and tells it so. It looks twice, as
// expel does: who came in with the old rules is there at the second look.
func (d *Desk) set(ctx context.Context, id int64, told string, change func(tx game.Tx, p *game.Player)) error {
	var last *game.Player // the loop's while it visits
	for range 2 {
		err := d.visit(ctx, func(tx game.Tx) {
			if p := tx.Find(id); p != nil {
				change(tx, p)
				if p != last {
					last = p
					tx.Tell(p, told)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Announce says something to everybody in the server's name.
func (d *Desk) Announce(ctx context.Context, by By, text string) (string, error) {
	text = cleaned(text, maxAnnouncementBytes)
	if text == "" {
		return "", refuse(Invalid, "Say what: the text is missing")
	}
	e := d.entry(by, "announce", "", text)
	if err := d.store.Record(ctx, e); err != nil {
		return "", err
	}
	if err := d.visit(ctx, func(tx game.Tx) { tx.Announce(text) }); err != nil {
		return "", err
	}
	d.count(e)
	return "Everybody was told", nil
}
