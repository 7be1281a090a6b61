package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// authority signs the certificates of one cluster. Its key is never written anywhere.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// identity is a certificate and its key, both as PEM.
type identity struct {
	certificate, key []byte
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificateTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{certificate: certificate, key: key}, nil
}

// certificateTemplate is valid from an hour ago, as clocks differ, and for longer than any test
// world lives.
func certificateTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(30 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}, nil
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// serving identifies the API server under every name that a client on this machine or, through
// the service of that name, in the cluster may use.
func (a *authority) serving() (identity, error) {
	template, err := certificateTemplate(pkix.Name{CommonName: "kube-apiserver"})
	if err != nil {
		return identity{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	return a.sign(template)
}

// client identifies a user to the API server, which reads the common name as the user and the
// organizations as the groups.
func (a *authority) client(user string, groups ...string) (identity, error) {
	template, err := certificateTemplate(pkix.Name{CommonName: user, Organization: groups})
	if err != nil {
		return identity{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(template)
}

func (a *authority) sign(template *x509.Certificate) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return identity{}, err
	}
	keyPEM, err := privatePEM(key)
	if err != nil {
		return identity{}, err
	}
	return identity{
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:         keyPEM,
	}, nil
}

// privatePEM uses PKCS #8, the one form that every TLS library reads.
func privatePEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// writeServiceAccountKey writes sa.key, which signs the tokens of ServiceAccounts, and sa.pub,
// which verifies them: the API server does not take the public half out of a PKCS #8 key.
func writeServiceAccountKey(directory string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := privatePEM(key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(directory, "sa.key"), private, 0o600); err != nil {
		return err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return os.WriteFile(filepath.Join(directory, "sa.pub"), public, 0o600)
}

// writeKubeconfig writes JSON, which is YAML too, with everything inline: the file can be
// copied anywhere.
func writeKubeconfig(path, server string, authorityPEM []byte, user identity) error {
	type object = map[string]any
	named := func(key string, value object) []object {
		return []object{{"name": "test", key: value}}
	}
	content, err := json.MarshalIndent(object{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": "test",
		"contexts":        named("context", object{"cluster": "test", "user": "test"}),
		// A []byte becomes base64, which is what these fields want.
		"clusters": named("cluster", object{"server": server, "certificate-authority-data": authorityPEM}),
		"users": named("user", object{
			"client-certificate-data": user.certificate,
			"client-key-data":         user.key,
		}),
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o600)
}

func (c *cluster) writeIdentities() error {
	authority, err := newAuthority("test cluster " + c.name)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AddCert(authority.certificate)
	c.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		// A kept connection would outlive the server it was made to.
		DisableKeepAlives: true,
	}}
	serving, err := authority.serving()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"ca.crt":      authority.pem(),
		"serving.crt": serving.certificate,
		"serving.key": serving.key,
	} {
		if err := os.WriteFile(c.file(name), content, 0o600); err != nil {
			return err
		}
	}
	admin, err := authority.client("admin", "system:masters")
	if err != nil {
		return err
	}
	if err := writeKubeconfig(c.adminKubeconfig(), c.url(), authority.pem(), admin); err != nil {
		return err
	}
	manager, err := authority.client("system:kube-controller-manager")
	if err != nil {
		return err
	}
	return writeKubeconfig(c.file("manager.kubeconfig"), c.url(), authority.pem(), manager)
}
