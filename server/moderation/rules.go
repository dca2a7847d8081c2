package moderation

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tavern/game/account"
)

// rules is what holds at present: who may not come in, who may not talk, who may
// do what. Its lock is taken when somebody comes, never in the loop.
type rules struct {
	mu       sync.RWMutex
	accounts map[int64]account.Ban
	networks map[netip.Prefix]account.Ban
	bits     [2][]int // lengths of the networks, of IPv4 and IPv6, each once
	mutes    map[int64]account.Mute
	roles    map[int64]account.Account
}

// load takes over what the database has kept. From now on the ends of bans and
// mutes are so far away as the clock says now, whatever becomes of the clock.
func (r *rules) load(bans []account.Ban, mutes []account.Mute, roles []account.Account, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accounts = make(map[int64]account.Ban)
	r.networks = make(map[netip.Prefix]account.Ban)
	r.mutes = make(map[int64]account.Mute)
	r.roles = make(map[int64]account.Account)
	for _, b := range bans {
		if !b.Until.IsZero() {
			b.Until = now.Add(b.Until.Sub(now))
		}
		if b.Account != 0 {
			r.accounts[b.Account] = b
		} else {
			r.networks[b.Network] = b
		}
	}
	for _, m := range mutes {
		m.Until = now.Add(m.Until.Sub(now))
		r.mutes[m.Account] = m
	}
	for _, a := range roles {
		r.roles[a.ID] = a
	}
	r.measure()
}

// measure notes the lengths of the networks. r.mu is held.
func (r *rules) measure() {
	r.bits = [2][]int{}
	for p := range r.networks {
		family := &r.bits[familyOf(p.Addr())]
		if !slices.Contains(*family, p.Bits()) {
			*family = append(*family, p.Bits())
		}
	}
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// forget drops what is over. r.mu is held.
func (r *rules) forget(now time.Time) {
	for id, b := range r.accounts {
		if b.Over(now) {
			delete(r.accounts, id)
		}
	}
	for p, b := range r.networks {
		if b.Over(now) {
			delete(r.networks, p)
		}
	}
	for id, m := range r.mutes {
		if m.Over(now) {
			delete(r.mutes, id)
		}
	}
	r.measure()
}

func (r *rules) putBan(b account.Ban, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.Account != 0 {
		r.accounts[b.Account] = b
	} else {
		r.networks[b.Network] = b
	}
	r.forget(now)
}

func (r *rules) liftBan(b account.Ban) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.Account != 0 {
		delete(r.accounts, b.Account)
	} else {
		delete(r.networks, b.Network)
	}
	r.measure()
}

func (r *rules) putMute(m account.Mute, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mutes[m.Account] = m
	r.forget(now)
}

func (r *rules) liftMute(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.mutes, id)
}

func (r *rules) setRole(a account.Account) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Role == "" {
		delete(r.roles, a.ID)
	} else {
		r.roles[a.ID] = a
	}
}

func (r *rules) banOf(id int64, now time.Time) (account.Ban, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	b, ok := r.accounts[id]
	return b, ok && !b.Over(now)
}

// banOn finds the ban of a network that holds addr.
func (r *rules) banOn(addr netip.Addr, now time.Time) (account.Ban, bool) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return account.Ban{}, false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, bits := range r.bits[familyOf(addr)] {
		network, err := addr.Prefix(bits)
		if err != nil {
			continue
		}
		if b, ok := r.networks[network]; ok && !b.Over(now) {
			return b, true
		}
	}
	return account.Ban{}, false
}

// Banned tells whether an account may not come in, and if so, why and until when
// in a sentence for its player.
func (d *Desk) Banned(id int64) (why string, banned bool) {
	b, banned := d.rules.banOf(id, d.now())
	if !banned {
		return "", false
	}
	return banSentence(b), true
}

// BannedAddress is Banned for an address.
func (d *Desk) BannedAddress(addr netip.Addr) (why string, banned bool) {
	b, banned := d.rules.banOn(addr, d.now())
	if !banned {
		return "", false
	}
	return banSentence(b), true
}

// MutedUntil is until when an account may not talk, zero when it may.
func (d *Desk) MutedUntil(id int64) time.Time {
	d.rules.mu.RLock()
	defer d.rules.mu.RUnlock()
	m, ok := d.rules.mutes[id]
	if !ok || m.Over(d.now()) {
		return time.Time{}
	}
	return m.Until
}

// Moderator tells whether an account is a moderator's.
func (d *Desk) Moderator(id int64) bool {
	d.rules.mu.RLock()
	defer d.rules.mu.RUnlock()
	return d.rules.roles[id].Role == account.RoleModerator
}

// Bans returns the bans that hold, the newest first.
func (d *Desk) Bans() []account.Ban {
	now := d.now()
	d.rules.mu.RLock()
	defer d.rules.mu.RUnlock()
	list := make([]account.Ban, 0, len(d.rules.accounts)+len(d.rules.networks))
	for _, b := range d.rules.accounts {
		if !b.Over(now) {
			list = append(list, b)
		}
	}
	for _, b := range d.rules.networks {
		if !b.Over(now) {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b account.Ban) int { return cmp.Compare(b.ID, a.ID) })
	return list
}

// Mutes returns the mutes that hold, the newest first.
func (d *Desk) Mutes() []account.Mute {
	now := d.now()
	d.rules.mu.RLock()
	defer d.rules.mu.RUnlock()
	list := make([]account.Mute, 0, len(d.rules.mutes))
	for _, m := range d.rules.mutes {
		if !m.Over(now) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b account.Mute) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Account, b.Account))
	})
	return list
}

// Moderators returns the accounts that have a role, by name.
func (d *Desk) Moderators() []account.Account {
	d.rules.mu.RLock()
	defer d.rules.mu.RUnlock()
	list := make([]account.Account, 0, len(d.rules.roles))
	for _, a := range d.rules.roles {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b account.Account) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list
}
