package swarm

// orderCheck follows every sender's sequence as one receiver hears it. Chats are said
// in turns, so a serial tells both: its sender is serial mod senders, and its place in
// that sender's sequence is serial div senders. Chats of two senders may arrive in any
// order, those of one may not.
type orderCheck struct {
	senders uint32
	want    []uint32            // by sender: the next place in its sequence
	gaps    map[uint32]struct{} // serials that were passed over and have not come since

	reordered uint64 // came after a later one of the same sender
	doubled   uint64
}

// maxGaps bounds the memory that a broken server can cost.
const maxGaps = 1 << 16

func newOrderCheck(senders int) *orderCheck {
	return &orderCheck{
		senders: uint32(senders),
		want:    make([]uint32, senders),
		gaps:    make(map[uint32]struct{}),
	}
}

func (o *orderCheck) see(serial uint32) {
	sender, place := serial%o.senders, serial/o.senders
	want := o.want[sender]
	switch {
	case place == want:
		o.want[sender] = place + 1
	case place > want:
		for ; want < place && len(o.gaps) < maxGaps; want++ {
			o.gaps[want*o.senders+sender] = struct{}{}
		}
		o.want[sender] = place + 1
	default:
		if _, late := o.gaps[serial]; late {
			delete(o.gaps, serial)
			o.reordered++
		} else {
			o.doubled++
		}
	}
}
