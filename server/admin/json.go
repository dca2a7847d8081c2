package admin

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"tavern/server/moderation"
)

// maxBodyBytes bounds the body of a request.
const maxBodyBytes = 16 << 10

// read reads the body of a request as JSON. When it cannot, it answers and
// returns false. It insists on the content type: a page of another site can send
// that one only after it has asked.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "Send JSON, with Content-Type: application/json")
		return false
	}
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	in.DisallowUnknownFields()
	err := in.Decode(into)
	if err == nil {
		if _, err = in.Token(); errors.Is(err, io.EOF) {
			return true
		}
		err = errors.New("more than one value")
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, "That is too much")
		return false
	}
	fail(w, http.StatusBadRequest, "This is not the JSON that is expected here: "+err.Error())
	return false
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // who has gone needs no answer
}

// fail answers with a sentence.
func fail(w http.ResponseWriter, status int, sentence string) {
	answer(w, status, struct {
		Error string `json:"error"`
	}{sentence})
}

// statusOf is what a Refusal's kind is in HTTP.
var statusOf = map[moderation.Kind]int{
	moderation.Invalid:   http.StatusBadRequest,
	moderation.NotFound:  http.StatusNotFound,
	moderation.Forbidden: http.StatusForbidden,
	moderation.Busy:      http.StatusServiceUnavailable,
}

// refused answers an error of the desk.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, err error) {
	var no *moderation.Refusal
	if errors.As(err, &no) {
		fail(w, statusOf[no.Kind], no.Reason)
		return
	}
	s.internal(w, r, err)
}
