package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/peterbourgon/ff/v3"

	"tavern/codec"
	"tavern/game"
)

const (
	// defaultAdmin is where the operator's page is unless told otherwise. When
	// something else listens there the server runs without the page; an address
	// that was asked for must be had.
	defaultAdmin = "127.0.0.1:8082"
	// minTokenBytes is the least that -admin-token may be.
	minTokenBytes = 16
	// mostMaxPlayers is how many connections the edge could number.
	mostMaxPlayers = 900000
	// mostHashWork bounds a hash, in KiB times passes: some seconds.
	mostHashWork = 4 << 20
)

// config is every setting of the server. Each is a flag and, with the prefix
// TAVERN_, an environment variable; the flag wins.
type config struct {
	addr       string
	db         string
	web        string
	logFormat  string
	logLevel   string
	guests     guestMode
	tick       time.Duration
	speed      float64
	world      bounds
	cell       float64
	view       int
	bandwidth  int
	maxPlayers int
	maxPerIP   int
	chatRate   float64
	chatBurst  int
	chatRange  float64
	limits     onOff
	hashMemory uint
	hashTime   uint
	writers    int
	admin      string
	adminToken string
	motd       string
	tls        tlsConfig
	limit      limitConfig
	peers      peerConfig
	file       string
	version    bool

	// given tells which flags, variables or lines of the file are set, values
	// what all are, as text; shadowed is configFile's.
	given    map[string]bool
	values   map[string]string
	shadowed []string
	reserved int                     // players for whom the edge has room, set at the start
	parse    func() (*config, error) // reads the same arguments again

	logger *slog.Logger
	level  *slog.LevelVar // of logger
	// rig, when set, may change what a part is made of before it is made: for tests,
	// which put faults there.
	rig func(part any)
	// listening, when set, is told the address once the port is open: for tests
	// that listen on port 0.
	listening func(addr string)
}

// parseConfig reads flags and environment. flag.ErrHelp means that the help was
// printed to out; any other error is one line for the operator.
func parseConfig(args []string, out io.Writer) (*config, error) {
	fs := flag.NewFlagSet("tavern", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	cfg, err := parseConfigWith(fs, args, func() { usage(fs, out) })
	if err != nil {
		return nil, err
	}
	cfg.parse = func() (*config, error) { return parseConfig(args, io.Discard) }
	return cfg, nil
}

// parseConfigWith is parseConfig for a program that has flags of its own besides.
func parseConfigWith(fs *flag.FlagSet, args []string, help func()) (*config, error) {
	cfg := &config{
		guests: guestsOnChat,
		world:  bounds{-2048, -2048, 2048, 2048},
		limits: true,
	}
	fs.StringVar(&cfg.addr, "addr", ":8081", "`host:port` to listen on; an empty host means every address of this machine")
	fs.StringVar(&cfg.db, "db", "tavern.db", "SQLite `file` with accounts and positions; made on the first start")
	fs.StringVar(&cfg.web, "web", "", "`folder` with pages to serve in place of the built-in browser client")
	fs.StringVar(&cfg.logFormat, "log", "text", "log format, `text|json`")
	fs.StringVar(&cfg.logLevel, "log-level", "info", "least important log line shown, `debug|info|warn|error`")
	fs.Var(&cfg.guests, "guests", "who may chat without an account, `off|on-chat|on-connect`: nobody; whoever says something; every connection from its start")
	fs.DurationVar(&cfg.tick, "tick", 50*time.Millisecond, "`duration` of a world step, 10ms to 1s")
	fs.Float64Var(&cfg.speed, "speed", 70, "walking speed in `pixels` per second")
	fs.Var(&cfg.world, "world", "bounds of the world in pixels, `minX,minY,maxX,maxY`")
	fs.Float64Var(&cfg.cell, "cell", 640, "edge of a cell of the interest grid in `pixels`, about one screen; a player sees its own cell and the eight around it")
	fs.IntVar(&cfg.view, "view", 100, "most other players `shown` to one player in a crowd")
	fs.IntVar(&cfg.bandwidth, "bandwidth", 64000, "most `bytes` per second of positions sent to one player, 8000 or more")
	fs.IntVar(&cfg.maxPlayers, "max-players", 20000, "most `connections` at a time; beyond it newcomers hear 503")
	fs.IntVar(&cfg.maxPerIP, "max-per-ip", 50, "most `connections` from one address (IPv6: one /64); 0 = no limit")
	fs.Float64Var(&cfg.chatRate, "chat-rate", 2, "chat `messages` per second for each connection in the long run; 0 = no limit")
	fs.IntVar(&cfg.chatBurst, "chat-burst", 10, "chat `messages` in a row before -chat-rate counts")
	fs.Float64Var(&cfg.chatRange, "chat-range", 0, "how far a player's chat is heard in `pixels`; 0 = in the whole world")
	fs.Var(&cfg.limits, "limits", "`on|off`; off lifts every rate limit and every limit per address: for load tests, never in public")
	fs.UintVar(&cfg.hashMemory, "hash-memory", 19456, "argon2id memory for a password in `KiB`, 8 or more; each running hash takes so much")
	fs.UintVar(&cfg.hashTime, "hash-time", 2, "argon2id `passes` over that memory, 1 or more")
	fs.IntVar(&cfg.writers, "writers", 0, "goroutines that write to the players, 1 to 64; 0 = one, and one more for every two cores beyond the second (`count`)")
	fs.StringVar(&cfg.admin, "admin", defaultAdmin, "`host:port` of the operator's page and API; empty = off. Keep it off the internet")
	fs.StringVar(&cfg.adminToken, "admin-token", "", "`secret` for the operator's page, 16 characters or more; empty = the one that was made at the first start")
	cfg.tls.flags(fs)
	cfg.limit.flags(fs)
	cfg.peers.flags(fs)
	fs.StringVar(&cfg.motd, "motd", "", "announcement of the day, a `text` told to everybody who logs in")
	fs.StringVar(&cfg.file, "config", "", "TOML `file` with settings by the names of these flags; read again on SIGHUP")
	fs.BoolVar(&cfg.version, "version", false, "print the version and exit")

	file := configFile{flags: fs}
	err := ff.Parse(fs, args, ff.WithEnvVarPrefix("TAVERN"), ff.WithConfigFileFlag("config"), ff.WithConfigFileParser(file.parse))
	switch {
	case errors.Is(err, flag.ErrHelp) || err != nil && strings.Contains(err.Error(), flag.ErrHelp.Error()):
		help()
		return nil, flag.ErrHelp
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("-config: %w (see -h)", err)
	case err != nil:
		return nil, fmt.Errorf("%s (see -h)", strings.TrimPrefix(err.Error(), "error parsing commandline arguments: "))
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q (see -h)", fs.Arg(0))
	}
	cfg.values, cfg.given = make(map[string]string), make(map[string]bool)
	fs.VisitAll(func(f *flag.Flag) { cfg.values[f.Name] = f.Value.String() })
	fs.Visit(func(f *flag.Flag) { cfg.given[f.Name] = true })
	cfg.shadowed = file.shadowed
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("%w (see -h)", err)
	}
	if err := cfg.openLog(os.Stderr); err != nil {
		return nil, err
	}
	return cfg, nil
}

func (c *config) rigged(part any) {
	if c.rig != nil {
		c.rig(part)
	}
}

// check refuses values that no server could run with.
func (c *config) check() error {
	if err := checkAddress(c.addr); err != nil {
		return fmt.Errorf("-addr %q: %w", c.addr, err)
	}
	if err := checkAddress(c.admin); err != nil && c.admin != "" {
		return fmt.Errorf("-admin %q: %w", c.admin, err)
	}
	switch {
	case c.tick < 10*time.Millisecond || c.tick > time.Second:
		return fmt.Errorf("-tick %v: must be from 10ms to 1s", c.tick)
	case !(c.speed > 0) || math.IsInf(c.speed, 0):
		return fmt.Errorf("-speed %v: must be above 0 pixels per second", c.speed)
	case !(c.cell >= 16) || math.IsInf(c.cell, 0):
		return fmt.Errorf("-cell %v: must be at least 16 pixels", c.cell)
	case c.view < 1 || c.view > 10000:
		return fmt.Errorf("-view %d: must be from 1 to 10000", c.view)
	case c.bandwidth < 8000:
		return fmt.Errorf("-bandwidth %d: must be at least 8000 bytes per second", c.bandwidth)
	case c.maxPlayers < 1 || c.maxPlayers > mostMaxPlayers:
		return fmt.Errorf("-max-players %d: must be from 1 to %d", c.maxPlayers, mostMaxPlayers)
	case c.maxPerIP < 0:
		return fmt.Errorf("-max-per-ip %d: must be 0 (no limit) or more", c.maxPerIP)
	case !(c.chatRate >= 0 && c.chatRate <= mostRate):
		return fmt.Errorf("-chat-rate %v: must be from 0 (no limit) to %d", c.chatRate, mostRate)
	case c.chatBurst < 1 || c.chatBurst > mostRate:
		return fmt.Errorf("-chat-burst %d: must be from 1 to %d", c.chatBurst, mostRate)
	case !(c.chatRange >= 0) || math.IsInf(c.chatRange, 0):
		return fmt.Errorf("-chat-range %v: must be 0 (the whole world) or more pixels", c.chatRange)
	case c.hashMemory < 8 || c.hashMemory > 1<<20:
		return fmt.Errorf("-hash-memory %d: must be from 8 KiB to 1048576 KiB (1 GiB)", c.hashMemory)
	case c.hashTime < 1 || c.hashTime > 1000:
		return fmt.Errorf("-hash-time %d: must be from 1 to 1000", c.hashTime)
	case c.hashTime*c.hashMemory > mostHashWork:
		return fmt.Errorf("-hash-time %d: must be at most %d with -hash-memory %d", c.hashTime, mostHashWork/c.hashMemory, c.hashMemory)
	case c.writers < 0 || c.writers > 64:
		return fmt.Errorf("-writers %d: must be from 0 to 64", c.writers)
	case c.web != "" && !isFolder(c.web):
		return fmt.Errorf("-web %q: is no folder that can be read", c.web)
	case c.db == "":
		return fmt.Errorf("-db: must name a file")
	case c.adminToken != "" && len(c.adminToken) < minTokenBytes:
		return fmt.Errorf("-admin-token: must be at least %d characters", minTokenBytes)
	case len(c.motd) > codec.MaxTextBytes || !utf8.ValidString(c.motd):
		return fmt.Errorf("-motd: must be text of at most %d bytes", codec.MaxTextBytes)
	}
	if err := c.tls.check(); err != nil {
		return err
	}
	if err := c.peers.check(); err != nil {
		return err
	}
	if err := c.limit.check(); err != nil {
		return err
	}
	c.motd = strings.Join(strings.Fields(c.motd), " ")
	if c.writers == 0 {
		c.writers = max(1, runtime.GOMAXPROCS(0)/2)
	}
	return nil
}

// maxSessions is the edge's own bound on sockets: somewhat more than players, as
// those who are saying goodbye still have theirs.
func (c *config) maxSessions() int { return c.maxPlayers + c.maxPlayers/8 + 16 }

// mostPlayers is to how many max-players may be raised without a restart.
func (c *config) mostPlayers() int { return max(c.reserved, 1) }

// rate and perIP are the limits that hold: none when -limits is off.
func (c *config) rate() float64 {
	if !c.limits {
		return 0
	}
	return c.chatRate
}

func (c *config) perIP() int {
	if !c.limits {
		return 0
	}
	return c.maxPerIP
}

func (c *config) warnLimits() {
	if !c.limits {
		c.logger.Warn("limits are off: anybody can flood this server; for load tests only")
	}
}

// warnShadowed tells of settings in the file that do not count.
func (c *config) warnShadowed(log *slog.Logger) {
	for _, name := range c.shadowed {
		log.Warn("a flag or variable stands above the config file", "setting", name, "now", shown(name, c.values[name]))
	}
}

// checkAddress refuses what no listener could have.
func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return errors.New("must be host:port, and the port a number from 0 to 65535 or a name")
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (c *config) openLog(to io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return fmt.Errorf("-log-level %q: must be debug, info, warn or error (see -h)", c.logLevel)
	}
	c.level = new(slog.LevelVar)
	c.level.Set(level)
	opts := &slog.HandlerOptions{Level: c.level}
	switch c.logFormat {
	case "text":
		c.logger = slog.New(slog.NewTextHandler(to, opts))
	case "json":
		c.logger = slog.New(slog.NewJSONHandler(to, opts))
	default:
		return fmt.Errorf("-log %q: must be text or json (see -h)", c.logFormat)
	}
	return nil
}

// usage prints every flag with its unit, its default and its variable.
func usage(fs *flag.FlagSet, out io.Writer) {
	fmt.Fprintln(out, "Tavern, a WebSocket game and chat server.\n\nUsage: tavern [flags]\n\nEvery flag can also be set as an environment variable, for example TAVERN_MAX_PLAYERS=5000.")
	fmt.Fprintln(out, "\nCommands, each with -h of its own:")
	for _, c := range commands() {
		fmt.Fprintln(out, "  tavern", c.name, c.usage)
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw)
	fs.VisitAll(func(f *flag.Flag) {
		unit, text := flag.UnquoteUsage(f)
		value := f.DefValue
		if value == "" {
			value = `""`
		}
		fmt.Fprintf(tw, "  -%s %s\tdefault %s\t%s\n", f.Name, unit, value, text)
	})
	tw.Flush()
}

// bounds is the -world flag.
type bounds game.Bounds

func (b *bounds) String() string {
	f := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	return f(b.MinX) + "," + f(b.MinY) + "," + f(b.MaxX) + "," + f(b.MaxY)
}

func (b *bounds) Set(s string) error {
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return fmt.Errorf("must be four numbers, minX,minY,maxX,maxY")
	}
	var v [4]float64
	for i, p := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.Abs(n) > 1e9 || math.IsNaN(n) {
			return fmt.Errorf("%q is no number from -1e9 to 1e9", p)
		}
		v[i] = n
	}
	if v[0] >= v[2] || v[1] >= v[3] {
		return fmt.Errorf("the minimum must lie below the maximum")
	}
	*b = bounds{v[0], v[1], v[2], v[3]}
	return nil
}

// guestMode is the -guests flag.
type guestMode string

const (
	guestsOff       guestMode = "off"
	guestsOnChat    guestMode = "on-chat"
	guestsOnConnect guestMode = "on-connect"
)

func (g *guestMode) String() string { return string(*g) }

func (g *guestMode) Set(s string) error {
	switch guestMode(s) {
	case guestsOff, guestsOnChat, guestsOnConnect:
		*g = guestMode(s)
		return nil
	}
	return fmt.Errorf("must be off, on-chat or on-connect")
}

// onOff is a switch that is said in words.
type onOff bool

func (o *onOff) String() string {
	if *o {
		return "on"
	}
	return "off"
}

func (o *onOff) Set(s string) error {
	switch s {
	case "on":
		*o = true
	case "off":
		*o = false
	default:
		return fmt.Errorf("must be on or off")
	}
	return nil
}

// version is set by the release script with -ldflags "-X main.version=...".
var version = "devel"

func versionLine() string {
	return fmt.Sprintf("tavern %s, commit %s, %s %s/%s", version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// commit is what this program was built from, as far as Go has noted it.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}
