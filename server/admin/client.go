package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls the API of a running server. Any goroutine.
type Client struct {
	base     string
	token    string
	operator string
	http     *http.Client
}

// maxAnswerBytes bounds what a server may answer.
const maxAnswerBytes = 16 << 20

// NewClient is for the server at address, host:port or a URL; operator is who
// calls, for the audit log, and may be empty.
func NewClient(address, token, operator string) (*Client, error) {
	base := strings.TrimSuffix(address, "/")
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of an operator's page: host:port or a URL", address)
	}
	return &Client{
		base: base + "/api/v1/", token: token, operator: operator,
		// The token must not follow a redirection to somewhere else.
		http: &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Answered is an error that the server has put into words.
type Answered struct {
	Status int
	Reason string
}

// Error is the sentence.
func (a *Answered) Error() string { return a.Reason }

// Get fetches what is at path into a value.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

// Do carries out an action and returns what was done, in a sentence.
func (c *Client) Do(ctx context.Context, action string, what any) (string, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	var out struct {
		Done string `json:"done"`
	}
	err = c.call(ctx, http.MethodPost, action, body, &out)
	return out.Done, err
}

func (c *Client) call(ctx context.Context, method, path string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", commandAgent+"/1")
	if c.operator != "" {
		r.Header.Set(operatorHeader, c.operator)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("no server answers there: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var said struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(text, &said) != nil || said.Error == "" {
			return fmt.Errorf("this is not the operator's page of a Tavern: it answers %s", resp.Status)
		}
		return &Answered{resp.StatusCode, said.Error}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}
