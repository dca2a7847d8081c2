package account

import "sync"

// claims is the set of accounts that are in the world.
type claims struct {
	mu  sync.Mutex
	ids map[int64]struct{}
}

func (c *claims) add(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.ids[id]; taken {
		return false
	}
	c.ids[id] = struct{}{}
	return true
}

func (c *claims) remove(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ids, id)
}

func (c *claims) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ids)
}

// Claim marks the account as being in the world and reports whether it was
// not before. Login claims by itself.
func (s *Store) Claim(id int64) bool { return s.claims.add(id) }

// Release ends the claim: the account may log in again. A position that shall
// be seen by that login must have been saved before. Releasing an account that
// is not claimed does nothing.
func (s *Store) Release(id int64) { s.claims.remove(id) }
