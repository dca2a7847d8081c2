package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// soonExpired is when it is high time to renew a certificate.
const soonExpired = 14 * 24 * time.Hour

func (p *probe) tls(ctx context.Context) Finding {
	const check = "TLS"
	if len(p.Domains) > 0 {
		return p.domains(ctx)
	}
	f := Finding{Check: check, Level: Fail, Means: "no client can connect with wss://"}
	switch {
	case p.TLSCert == "" && p.TLSKey == "":
		return Finding{Check: check, Level: OK, Found: "not used: clients connect with ws://, or a proxy in front does it"}
	case p.TLSCert == "" || p.TLSKey == "":
		f.Found, f.Do = "one of -tls-cert and -tls-key is missing", "give both"
		return f
	}
	pair, err := tls.LoadX509KeyPair(p.TLSCert, p.TLSKey)
	if err != nil {
		f.Found, f.Do = err.Error(), "name the PEM files of one certificate, with its chain, and its key, and let the server's user read them"
		return f
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		f.Found, f.Do = err.Error(), "get a new certificate"
		return f
	}
	names := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	f.Found = fmt.Sprintf("certificate for %s, until %s", strings.Join(names, ", "), leaf.NotAfter.UTC().Format("2006-01-02 15:04 UTC"))
	const renew = "renew it (certbot renew; or see why the timer that does it did not); the server notices the new files"
	now := p.now()
	_, isRSA := leaf.PublicKey.(*rsa.PublicKey)
	_, isECDSA := leaf.PublicKey.(*ecdsa.PublicKey)
	switch {
	case now.After(leaf.NotAfter):
		f.Found += ": expired"
		f.Do = renew
	case now.Before(leaf.NotBefore):
		f.Found += ", but only from " + leaf.NotBefore.UTC().Format("2006-01-02 15:04 UTC")
		f.Do = "see whether the clock is right (timedatectl), or wait"
	case len(names) == 0:
		f.Found = "the certificate is for no name"
		f.Do = "get one for the name that clients connect to"
	case !isRSA && !isECDSA:
		f.Found += fmt.Sprintf(", with a key of %v", leaf.PublicKeyAlgorithm)
		f.Means, f.Do = "browsers and Godot cannot use such a key", "get a certificate with an ECDSA or RSA key"
	case leaf.NotAfter.Sub(now) < soonExpired:
		f.Level = Warn
		f.Means, f.Do = "then no client can connect with wss:// any more", renew
	default:
		if key, err := os.Stat(p.TLSKey); err == nil && key.Mode().Perm()&0o007 != 0 {
			f.Level = Warn
			f.Found += fmt.Sprintf("; the key's mode is %v", key.Mode().Perm())
			f.Means, f.Do = "every user of this machine can read the key and pass for the server", "chmod o= "+p.TLSKey
			return f
		}
		f.Level, f.Means = OK, ""
	}
	return f
}

// domains looks at the certificates that the server gets by itself.
func (p *probe) domains(ctx context.Context) Finding {
	f := Finding{Check: "TLS", Level: OK}
	asks := p.ACMEHTTP
	if asks == "" {
		asks = p.Addr
	}
	reach := "see what the server's log says of certificates, and whether the internet reaches " + asks + " as port 443 of that name"
	if p.ACMEHTTP != "" {
		reach = "see what the server's log says of certificates, and whether the internet reaches " + asks + " as port 80 of that name (a firewall? ufw allow 80/tcp)"
	}
	var found []string
	for _, name := range p.Domains {
		lookup, cancel := context.WithTimeout(ctx, 3*time.Second)
		_, err := p.resolve(lookup, name)
		cancel()
		var missing *net.DNSError
		if errors.As(err, &missing) && missing.IsNotFound {
			f.Level, f.Found = Fail, "there is no "+name+" in the internet's names"
			f.Means, f.Do = "nobody finds the server, and it gets no certificate", "add an A record (and AAAA, with IPv6) for "+name+" with this machine's address where the name was bought"
			return f
		}
		leaf, err := p.kept(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			found = append(found, name+": no certificate yet, the server asks for one when it starts")
			if p.running {
				f.Level, f.Means, f.Do = Fail, "no client can connect with wss://", reach
			}
			continue
		case errors.Is(err, fs.ErrPermission):
			return unseen(f.Check, err)
		case err != nil:
			f.Level, f.Found, f.Means = Fail, err.Error(), "no client can connect with wss://"
			f.Do = "delete that file: the server gets a new certificate"
			return f
		}
		found = append(found, fmt.Sprintf("%s: certificate until %s, renewed by the server", name, leaf.NotAfter.UTC().Format("2006-01-02 15:04 UTC")))
		switch left := leaf.NotAfter.Sub(p.now()); {
		case left < 0:
			f.Level, f.Means, f.Do = Fail, "no client can connect with wss://", reach
		case left < soonExpired && f.Level == OK:
			f.Level, f.Means, f.Do = Warn, "the server should have renewed it by now; then no client can connect with wss:// any more", reach
		}
	}
	f.Found = strings.Join(found, "; ")
	return f
}

// kept is the certificate that the server has for a name, as autocert keeps it:
// one PEM file with the key and the chain. "+rsa" ends the name of an older kind.
func (p *probe) kept(name string) (*x509.Certificate, error) {
	path := filepath.Join(p.Certificates, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		path += "+rsa"
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x509.ParseCertificate(pair.Certificate[0])
}

// localTransport is for asking our own server, whose certificate is made out to
// another name than localhost; one with domains speaks to nobody who asks for
// another.
func localTransport(domains []string) *http.Transport {
	secure := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	if len(domains) > 0 {
		secure.ServerName = domains[0]
	}
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure}
}
