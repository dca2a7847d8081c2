package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"tavern/codec"
	"tavern/game/account"
)

const importAbout = `
Brings the users of a "Godot Python MMO" tutorial's server over: names, passwords,
positions, avatars. Its database is db.sqlite3 in the server's folder; it is only read.

    tavern import-django db.sqlite3 -dry-run     says what would happen
    tavern import-django db.sqlite3              does it

Everybody logs in with the old name and password. Who cannot come over unchanged is
listed with the reason. It is done whole or not at all, and may be done again: whoever
has come over is left alone, whoever is new there comes over.

This server may run meanwhile. Stop the old one first, or what happens there after this
moment stays there.
`

func runImport(args []string, out io.Writer) error {
	fs := commandFlags("import-django")
	job := account.DjangoImport{MostAvatar: codec.MaxAvatar}
	fs.StringVar(&job.To.Path, "db", "tavern.db", "this server's database `file`; made if there is none")
	fs.BoolVar(&job.DryRun, "dry-run", false, "say what would happen, and change nothing")
	asJSON := fs.Bool("json", false, "print the report as JSON")
	memory := fs.Uint("hash-memory", account.DefaultHashMemoryKiB, "as for the server, in `KiB`: for passwords that were stored as they are")
	passes := fs.Uint("hash-time", account.DefaultHashTime, "as for the server, in `passes`")
	files, err := parseCommand(fs, args, out, importAbout, 1)
	if err != nil {
		return err
	}
	log := commandLog()
	job.From, job.To.Logger = files[0], log
	job.To.HashMemoryKiB, job.To.HashTime = uint32(min(*memory, 1<<31)), uint32(min(*passes, 1<<31))
	job.Progress = progress(log, "hashing passwords")
	ctx, stop := interruptible()
	defer stop()
	report, err := account.ImportDjango(ctx, job)
	switch {
	case err != nil:
		return err
	case *asJSON:
		return printJSON(out, report)
	}
	return printReport(out, report)
}

// printReport is the report for people.
func printReport(out io.Writer, report account.DjangoReport) error {
	fmt.Fprintf(out, "Found %s.\n", report.Found)
	if len(report.Rows) > 0 {
		fmt.Fprintln(out)
		tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "TABLE\tID\tNAME\tNAME HERE\tOUTCOME\tWHY")
		for _, row := range report.Rows {
			as := "-"
			if row.As != "" {
				as = printable(row.As)
			}
			fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\n", printable(row.Table), row.ID, printable(row.Name), as, row.Verdict, strings.Join(row.Why, "; "))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "%d users: %d imported (%d of them adjusted), %d skipped, %d here already from an earlier import.\n",
		report.Users, report.Imported, report.Adjusted, report.Skipped, report.Present)
	if report.Django > 0 {
		fmt.Fprintf(out, "%d passwords are hashed as Django does it; each is hashed anew at its owner's first login.\n", report.Django)
	}
	if len(report.Left) > 0 {
		var left []string
		for _, table := range report.Left {
			left = append(left, fmt.Sprintf("%s (%d rows)", printable(table.Name), table.Rows))
		}
		fmt.Fprintf(out, "Not taken along, as there is no place for it here: %s.\n", strings.Join(left, ", "))
	}
	if report.DryRun {
		fmt.Fprintln(out, "This was a dry run: nothing has been changed.")
	}
	return nil
}
