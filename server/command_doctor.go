package main

import (
	"fmt"
	"io"

	"tavern/server/doctor"
)

const doctorAbout = `
Looks for what would stop a big evening on this machine, and says what it means and what
to type. It changes nothing. Give it the flags that the server is started with, run it as
the server's user, before or while the server runs. It ends with 1 when something FAILs.
`

func runDoctor(args []string, out io.Writer) error {
	fs := commandFlags("doctor")
	var cfg doctor.Config
	fs.StringVar(&cfg.Addr, "addr", ":8081", "`host:port` that the server listens on")
	fs.StringVar(&cfg.DB, "db", "tavern.db", "its database `file`")
	fs.IntVar(&cfg.MaxPlayers, "max-players", 20000, "most `connections` at a time")
	fs.StringVar(&cfg.TLSCert, "tls-cert", "", "PEM `file` of its certificate")
	fs.StringVar(&cfg.TLSKey, "tls-key", "", "PEM `file` of the certificate's key")
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	if _, err := parseCommand(fs, args, out, doctorAbout, 0); err != nil {
		return err
	}
	if cfg.MaxPlayers < 1 {
		return fmt.Errorf("-max-players %d: must be at least 1 (see -h)", cfg.MaxPlayers)
	}
	ctx, stop := interruptible()
	defer stop()
	findings := doctor.Run(ctx, cfg)
	write := func() error { return doctor.Write(out, findings) }
	if *asJSON {
		write = func() error { return printJSON(out, findings) }
	}
	if err := write(); err != nil {
		return err
	}
	if failed := doctor.Count(findings, doctor.Fail); failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(findings))
	}
	return nil
}
