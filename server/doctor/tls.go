package doctor

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// soonExpired is when it is high time to renew a certificate.
const soonExpired = 14 * 24 * time.Hour

func (p *probe) tls() Finding {
	const check = "TLS"
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
	const renew = "renew it (certbot renew; or see why the timer that does it did not), and restart the server"
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

// localTransport is for asking our own server, whose certificate is made out to
// another name than localhost.
func localTransport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}
}
