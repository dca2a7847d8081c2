package admin

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tavern/server/moderation"
)

const (
	// crowdAge is how old a look at the players may be: however many pages are
	// open, the loop is asked once in this time.
	crowdAge = time.Second
	// maxPoints bounds what the map is sent.
	maxPoints = 4000
	// maxPage bounds a page of players.
	maxPage = 500
)

// crowd remembers the last look at the players. Any goroutine.
type crowd struct {
	desk *moderation.Desk
	now  func() time.Time

	mu      sync.Mutex
	at      time.Time
	players []moderation.Player // by name; not changed once it is here
}

// look returns everybody, by name, as they were at most crowdAge ago. The slice
// must not be changed.
func (c *crowd) look(ctx context.Context) ([]moderation.Player, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.players != nil && now.Sub(c.at) < crowdAge && !now.Before(c.at) {
		return c.players, nil
	}
	players, err := c.desk.Who(ctx)
	if err != nil {
		return nil, err
	}
	moderation.SortByName(players)
	c.players, c.at = players, c.now()
	return players, nil
}

// stale has the next look be a fresh one.
func (c *crowd) stale() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.players = nil
}

// orders are how players can be sorted, each with the most telling first. Those of
// one place are by name, as the crowd is.
var orders = map[string]func(a, b *moderation.Player) int{
	"name":    func(a, b *moderation.Player) int { return 0 },
	"since":   func(a, b *moderation.Player) int { return a.Since.Compare(b.Since) },
	"lag":     func(a, b *moderation.Player) int { return cmp.Compare(b.Pending, a.Pending) },
	"address": func(a, b *moderation.Player) int { return a.Address.Compare(b.Address) },
}

// search returns those of whom the name or the address holds text, or the one
// account whose number stands behind a #, in an order.
func search(players []moderation.Player, text, order string, reverse bool) []moderation.Player {
	text = strings.ToLower(strings.TrimSpace(text))
	is := func(p *moderation.Player) bool {
		return strings.Contains(strings.ToLower(p.Name), text) || strings.Contains(p.Address.String(), text)
	}
	if digits, ok := strings.CutPrefix(text, "#"); ok {
		id, _ := strconv.ParseInt(digits, 10, 64) // 0 is nobody's
		is = func(p *moderation.Player) bool { return p.ID != 0 && p.ID == id }
	}
	found := players
	if text != "" {
		found = nil
		for i := range players {
			if is(&players[i]) {
				found = append(found, players[i])
			}
		}
	}
	if order == "name" && !reverse {
		return found
	}
	found = slices.Clone(found)
	if by := orders[order]; order != "name" {
		slices.SortStableFunc(found, func(a, b moderation.Player) int { return by(&a, &b) })
	}
	if reverse {
		slices.Reverse(found)
	}
	return found
}

// points are the places of players, at most maxPoints of them, evenly chosen:
// x, y and account.
func points(players []moderation.Player) [][3]int64 {
	list := make([][3]int64, 0, min(len(players), maxPoints))
	for _, p := range players {
		if p.ID != 0 {
			list = append(list, [3]int64{int64(p.X), int64(p.Y), p.ID})
		}
	}
	if len(list) <= maxPoints {
		return list
	}
	chosen := make([][3]int64, maxPoints)
	for i := range chosen {
		chosen[i] = list[i*len(list)/maxPoints]
	}
	return chosen
}
