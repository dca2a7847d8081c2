package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/peterbourgon/ff/v3"
)

// configFile reads the file of -config: TOML, one line for a setting, with the
// names of the flags.
type configFile struct {
	flags *flag.FlagSet
	// shadowed are the names in the file that flags or the environment have set
	// too, so that the file's value does not count.
	shadowed []string
}

// parse is an ff.ConfigFileParser.
func (f *configFile) parse(r io.Reader, set func(name, value string) error) error {
	provided := make(map[string]bool)
	f.flags.Visit(func(fl *flag.Flag) { provided[fl.Name] = true })
	var file map[string]any
	if _, err := toml.NewDecoder(r).Decode(&file); err != nil {
		var wrong toml.ParseError
		if errors.As(err, &wrong) && wrong.LastKey == "admin-token" { // it quotes what it does not understand
			return fmt.Errorf("the config file: line %d: admin-token: must be text in quotes, once", wrong.Position.Line)
		}
		return fmt.Errorf("the config file: %s", strings.TrimPrefix(err.Error(), "toml: "))
	}
	for _, name := range slices.Sorted(maps.Keys(file)) {
		fl := f.flags.Lookup(name)
		if fl == nil || name == "config" || name == "version" {
			return fmt.Errorf("the config file: there is no setting %q", name)
		}
		value, err := settingText(file[name])
		if err != nil {
			return fmt.Errorf("the config file: %s: %w", name, err)
		}
		if provided[name] {
			f.shadowed = append(f.shadowed, name)
		}
		if err := set(name, value); err != nil {
			return fmt.Errorf("the config file: %s = %q: %w", name, value, lastError(err))
		}
	}
	return nil
}

var _ ff.ConfigFileParser = (*configFile)(nil).parse

// settingText is a value of TOML as one would write it behind a flag.
func settingText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			var err error
			if parts[i], err = settingText(v[i]); err != nil {
				return "", err
			}
		}
		return strings.Join(parts, ","), nil
	}
	return "", fmt.Errorf("must be text, a number, true or false, or a list of them")
}

// lastError is what ff has wrapped: it names the flag, as we do.
func lastError(err error) error {
	for {
		wrapped, ok := err.(interface{ Unwrap() error })
		if !ok || wrapped.Unwrap() == nil {
			return err
		}
		err = wrapped.Unwrap()
	}
}
