package main

import (
	"fmt"
	"io"
	"path/filepath"

	"tavern/server/doctor"
)

const doctorAbout = `
Looks for what would stop a big evening on this machine, and says what it means and what
to type. It changes nothing. Give it the flags that the server is started with, run it as
the server's user, before or while the server runs. It ends with 1 when something FAILs.
It takes every flag of the server, and its TAVERN_ variables; these it looks at:
`

// doctorFlags are the flags that the doctor looks at.
var doctorFlags = []string{"acme-http", "addr", "admin", "config", "db", "domain", "json", "max-players", "tls-cert", "tls-key"}

func runDoctor(args []string, out io.Writer) error {
	fs := commandFlags("doctor")
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	cfg, err := parseServerCommand(fs, args, out, doctorAbout, doctorFlags)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	findings := doctor.Run(ctx, doctor.Config{
		Addr: cfg.addr, DB: cfg.db, MaxPlayers: cfg.maxPlayers,
		Admin: cfg.admin, AdminAsked: cfg.given["admin"],
		TLSCert: cfg.tls.cert, TLSKey: cfg.tls.key,
		Domains: cfg.tls.names(), Certificates: certificatesBeside(cfg.db), ACMEHTTP: cfg.tls.acmeHTTP,
	})
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

// certificatesBeside is the folder with the certificates of -domain.
func certificatesBeside(db string) string { return filepath.Join(filepath.Dir(db), "certificates") }
