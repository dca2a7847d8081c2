package ws

import (
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/lesismal/llib/std/crypto/tls"
)

// TLS says how a listener encrypts. What it accepts is TLS 1.2 and 1.3, with
// forward secrecy and authenticated ciphers only.
type TLS struct {
	// Certificate chooses the certificate for a handshake, as
	// crypto/tls.Config.GetCertificate. It may be asked from many goroutines at
	// once, and must not take longer than a handshake may.
	Certificate func(*stdtls.ClientHelloInfo) (*stdtls.Certificate, error)
	// MinVersion is crypto/tls.VersionTLS12, the default, or VersionTLS13.
	MinVersion uint16
	// Challenges are protocols (RFC 7301) that end with the handshake: those of
	// certificate authorities. All others are answered with http/1.1.
	Challenges []string
}

// suites are those for TLS 1.2: the elliptic curve's key exchange, ciphers that
// authenticate. TLS 1.3 has no others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// config is t for llib, whose types are its own.
func (t *TLS) config() (*tls.Config, error) {
	if t.Certificate == nil {
		return nil, errors.New("ws: TLS without a certificate")
	}
	low := t.MinVersion
	switch low {
	case 0:
		low = tls.VersionTLS12
	case tls.VersionTLS12, tls.VersionTLS13:
	default:
		return nil, errors.New("ws: TLS before 1.2 is not spoken")
	}
	return &tls.Config{
		MinVersion:   low,
		MaxVersion:   tls.VersionTLS13,
		CipherSuites: suites,
		NextProtos:   append([]string{"http/1.1"}, t.Challenges...),
		// Our writes are a tick's worth: records as large as they may be cost
		// the least, and a reader who waits for the first packet waits for the tick.
		DynamicRecordSizingDisabled: true,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			chosen, err := t.Certificate(stdHello(hello))
			if err != nil || chosen == nil {
				return nil, err
			}
			return &tls.Certificate{
				Certificate: chosen.Certificate, PrivateKey: chosen.PrivateKey, OCSPStaple: chosen.OCSPStaple,
				SignedCertificateTimestamps: chosen.SignedCertificateTimestamps, Leaf: leaf(chosen),
			}, nil
		},
	}, nil
}

// stdHello is what a client said, for those who know crypto/tls.
func stdHello(h *tls.ClientHelloInfo) *stdtls.ClientHelloInfo {
	std := &stdtls.ClientHelloInfo{
		CipherSuites: h.CipherSuites, ServerName: h.ServerName, SupportedPoints: h.SupportedPoints,
		SupportedProtos: h.SupportedProtos, SupportedVersions: h.SupportedVersions, Conn: h.Conn,
	}
	for _, c := range h.SupportedCurves {
		std.SupportedCurves = append(std.SupportedCurves, stdtls.CurveID(c))
	}
	for _, s := range h.SignatureSchemes {
		std.SignatureSchemes = append(std.SignatureSchemes, stdtls.SignatureScheme(s))
	}
	return std
}

// leaf parses the first certificate, unless that is done.
func leaf(c *stdtls.Certificate) *x509.Certificate {
	if c.Leaf != nil || len(c.Certificate) == 0 {
		return c.Leaf
	}
	parsed, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil // llib will find out, and say so to the client
	}
	return parsed
}

// recordAllocator gives llib its buffers. What lives as long as a connection that
// is idle, the last message, is small and made to measure; the rest is pooled.
type recordAllocator struct{ queueAllocator }

var recordBuffers recordAllocator

// Malloc returns a buffer of size bytes.
func (a *recordAllocator) Malloc(size int) *[]byte {
	if size < 1<<queueMinBits {
		b := make([]byte, size)
		return &b
	}
	return a.queueAllocator.Malloc(size)
}
