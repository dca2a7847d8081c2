package doctor

func (p *probe) clock() Finding {
	const check = "clock"
	now := p.now().UTC()
	f := Finding{Check: check, Level: OK, Found: now.Format("2006-01-02 15:04 UTC")}
	if now.Year() < 2025 || now.Year() > 2099 {
		f.Level, f.Means, f.Do = Fail, "certificates count as invalid, and bans and mutes end at the wrong time", "timedatectl set-ntp true, or date -s 'YYYY-MM-DD HH:MM'"
		return f
	}
	switch synced, err := p.synced(); {
	case err != nil:
		f.Found += "; whether a time server sets it cannot be seen here"
	case synced:
		f.Found += ", set by a time server"
	default:
		f.Level = Warn
		f.Found += ", not set by a time server"
		f.Means, f.Do = "it drifts: logs, bans and certificates go by it", "timedatectl set-ntp true (Debian: apt-get install systemd-timesyncd)"
	}
	return f
}
