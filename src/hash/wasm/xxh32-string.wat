;; XXH32 of a short JavaScript string, read where it is: nothing is copied.
;;
;; The imports are the "JS string builtins" of WebAssembly (https://webassembly.github.io/js-string-builtins/), which an
;; engine that knows them supplies itself and turns into loads.
;;
;; `hash` answers for ASCII strings of at most `limit` characters in which none is 0x7b (`{`) or more, whose routing key
;; is therefore the string itself. For every other string it returns 0, which says "ask elsewhere"; one string in 2^32
;; has the hash 0 and is asked for elsewhere in vain.
;;
;; Symbols are those of ../xxh32.ts. The specification's constants, as signed integers:
;;   PRIME32_1 -1640531535   PRIME32_2 -2048144777   PRIME32_3 -1028477379   PRIME32_4 668265263   PRIME32_5 374761393
(module
  (import "wasm:js-string" "length" (func $length (param externref) (result i32)))
  (import "wasm:js-string" "charCodeAt" (func $charCodeAt (param externref i32) (result i32)))

  ;; @param $text  A string: an engine traps at anything else.
  (func (export "hash") (param $text externref) (param $seed i32) (param $limit i32) (result i32)
    (local $at i32) (local $length i32) (local $stripesEnd i32) (local $even i32) (local $odd i32) (local $lane i32)
    (local $acc i32) (local $acc1 i32) (local $acc2 i32) (local $acc3 i32) (local $acc4 i32)
    ;; All characters or-ed together, two side by side; and all lanes, each byte plus 5, whose top bit is then set if
    ;; an ASCII character was 0x7b or more.
    (local $seen i32) (local $marks i32)
    (local.set $length (call $length (local.get $text)))
    (if (i32.gt_u (local.get $length) (local.get $limit)) (then (return (i32.const 0))))

    (if (i32.ge_u (local.get $length) (i32.const 16))
      (then
        (local.set $acc1 (i32.add (local.get $seed) (i32.const 606290984)))   ;; seed + PRIME32_1 + PRIME32_2
        (local.set $acc2 (i32.add (local.get $seed) (i32.const -2048144777)))
        (local.set $acc3 (local.get $seed))
        (local.set $acc4 (i32.sub (local.get $seed) (i32.const -1640531535)))
        (local.set $stripesEnd (i32.and (local.get $length) (i32.const -16)))
        ;; A lane a turn: the accumulators change places, and are back in theirs after a stripe.
        (loop $stripeLane
          (local.set $even (i32.or (call $charCodeAt (local.get $text) (local.get $at))
            (i32.shl (call $charCodeAt (local.get $text) (i32.add (local.get $at) (i32.const 2))) (i32.const 16))))
          (local.set $odd (i32.or (call $charCodeAt (local.get $text) (i32.add (local.get $at) (i32.const 1)))
            (i32.shl (call $charCodeAt (local.get $text) (i32.add (local.get $at) (i32.const 3))) (i32.const 16))))
          (local.set $lane (i32.or (local.get $even) (i32.shl (local.get $odd) (i32.const 8))))
          (local.set $seen (i32.or (local.get $seen) (i32.or (local.get $even) (local.get $odd))))
          (local.set $marks (i32.or (local.get $marks) (i32.add (local.get $lane) (i32.const 0x05050505))))
          ;; Not ASCII: that is mostly plain from the first lane on, and a test that fails costs nothing beside the reads.
          (if (i32.and (local.get $seen) (i32.const 0xff80ff80)) (then (return (i32.const 0))))
          (local.set $acc (i32.mul (i32.rotl (i32.add (local.get $acc1)
            (i32.mul (local.get $lane) (i32.const -2048144777))) (i32.const 13)) (i32.const -1640531535)))
          (local.set $acc1 (local.get $acc2))
          (local.set $acc2 (local.get $acc3))
          (local.set $acc3 (local.get $acc4))
          (local.set $acc4 (local.get $acc))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br_if $stripeLane (i32.lt_u (local.get $at) (local.get $stripesEnd))))
        (local.set $acc
          (i32.add
            (i32.add (i32.rotl (local.get $acc1) (i32.const 1)) (i32.rotl (local.get $acc2) (i32.const 7)))
            (i32.add (i32.rotl (local.get $acc3) (i32.const 12)) (i32.rotl (local.get $acc4) (i32.const 18))))))
      (else
        (local.set $acc (i32.add (local.get $seed) (i32.const 374761393)))))

    (local.set $acc (i32.add (local.get $acc) (local.get $length)))
    (block $lanesDone
      (loop $tailLane
        (br_if $lanesDone (i32.lt_u (i32.sub (local.get $length) (local.get $at)) (i32.const 4)))
        (local.set $even (i32.or (call $charCodeAt (local.get $text) (local.get $at))
          (i32.shl (call $charCodeAt (local.get $text) (i32.add (local.get $at) (i32.const 2))) (i32.const 16))))
        (local.set $odd (i32.or (call $charCodeAt (local.get $text) (i32.add (local.get $at) (i32.const 1)))
          (i32.shl (call $charCodeAt (local.get $text) (i32.add (local.get $at) (i32.const 3))) (i32.const 16))))
        (local.set $lane (i32.or (local.get $even) (i32.shl (local.get $odd) (i32.const 8))))
        (local.set $seen (i32.or (local.get $seen) (i32.or (local.get $even) (local.get $odd))))
        (local.set $marks (i32.or (local.get $marks) (i32.add (local.get $lane) (i32.const 0x05050505))))
        (local.set $acc (i32.mul (i32.rotl (i32.add (local.get $acc)
          (i32.mul (local.get $lane) (i32.const -1028477379))) (i32.const 17)) (i32.const 668265263)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $tailLane)))
    (block $charactersDone
      (loop $character
        (br_if $charactersDone (i32.eq (local.get $at) (local.get $length)))
        (local.set $lane (call $charCodeAt (local.get $text) (local.get $at)))
        (local.set $seen (i32.or (local.get $seen) (local.get $lane)))
        (local.set $marks (i32.or (local.get $marks) (i32.add (local.get $lane) (i32.const 5))))
        (local.set $acc (i32.mul (i32.rotl (i32.add (local.get $acc)
          (i32.mul (local.get $lane) (i32.const 374761393))) (i32.const 11)) (i32.const -1640531535)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $character)))

    ;; 0xff80ff80: the bits of two characters that no ASCII character has.
    (if (i32.or
          (i32.and (local.get $seen) (i32.const 0xff80ff80))
          (i32.and (local.get $marks) (i32.const 0x80808080)))
      (then (return (i32.const 0))))
    (local.set $acc (i32.mul (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 15))) (i32.const -2048144777)))
    (local.set $acc (i32.mul (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 13))) (i32.const -1028477379)))
    (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 16))))
)
