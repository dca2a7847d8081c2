package main

import (
	"context"
	"flag"
)

func connectMode(fs *flag.FlagSet) func(context.Context, *lab) error { return nil }
func idleMode(fs *flag.FlagSet) func(context.Context, *lab) error    { return nil }
func loginMode(fs *flag.FlagSet) func(context.Context, *lab) error   { return nil }
func moveMode(fs *flag.FlagSet) func(context.Context, *lab) error    { return nil }
func crowdMode(fs *flag.FlagSet) func(context.Context, *lab) error   { return nil }
func soakMode(fs *flag.FlagSet) func(context.Context, *lab) error    { return nil }
func slowMode(fs *flag.FlagSet) func(context.Context, *lab) error    { return nil }
func compareMode(fs *flag.FlagSet) func(context.Context, *lab) error { return nil }
