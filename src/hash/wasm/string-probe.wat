;; Valid only where the engine does not know the "JS string builtins": there this import is a function like any other.
;; An engine that knows them knows that `length` has a result, and finds this module wrong. Asking so takes a tenth of
;; the time of compiling xxh32-string.wat in vain.
(module
  (import "wasm:js-string" "length" (func (param externref))))
