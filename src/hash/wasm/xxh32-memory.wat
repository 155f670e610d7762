;; XXH32 of the routing key of the key that stands in memory.
;;
;; The caller writes a key's UTF-8 bytes from address 0 on and calls `hash` with their number. The routing key is looked
;; for here, in bytes, because that costs next to nothing beside the hash: it is what stands between the first `{`
;; (0x7b) and the next `}` (0x7d) after it if that is not empty, else the whole key. The bytes of a longer UTF-8
;; sequence are all 0x80 or more, so no part of another character is taken for a brace.
;;
;; The whole key is hashed first, and the same pass notices whether it has a `{` at all. Only if it has one is it
;; searched, and hashed again if there is a routing key inside.
;;
;; Symbols are those of ../xxh32.ts. The specification's constants, as signed integers:
;;   PRIME32_1 -1640531535   PRIME32_2 -2048144777   PRIME32_3 -1028477379   PRIME32_4 668265263   PRIME32_5 374761393
(module
  ;; One page, 65,536 bytes, and never more.
  (memory (export "memory") 1 1)

  (func (export "hash") (param $length i32) (param $seed i32) (result i32)
    (local $at i32) (local $end i32) (local $stripesEnd i32)
    (local $acc i32) (local $acc1 i32) (local $acc2 i32) (local $acc3 i32) (local $acc4 i32)
    ;; Eight bytes with `{` turned into 0; in `marks`, the top bit of a byte is set if a `{` was met there, and
    ;; sometimes if one was met in a byte before it. No bit is set if none was met.
    (local $word i64) (local $marks i64)
    (local $searched i32) (local $start i32) (local $close i32)
    (local.set $end (local.get $length))

    (loop $hash
      (local.set $length (i32.sub (local.get $end) (local.get $at)))
      (if (i32.ge_u (local.get $length) (i32.const 16))
        (then
          (local.set $acc1 (i32.add (local.get $seed) (i32.const 606290984)))   ;; seed + PRIME32_1 + PRIME32_2
          (local.set $acc2 (i32.add (local.get $seed) (i32.const -2048144777)))
          (local.set $acc3 (local.get $seed))
          (local.set $acc4 (i32.sub (local.get $seed) (i32.const -1640531535)))
          (local.set $stripesEnd (i32.add (local.get $at) (i32.and (local.get $length) (i32.const -16))))
          (loop $stripe
            (local.set $acc1 (i32.mul (i32.rotl (i32.add (local.get $acc1)
              (i32.mul (i32.load (local.get $at)) (i32.const -2048144777))) (i32.const 13)) (i32.const -1640531535)))
            (local.set $acc2 (i32.mul (i32.rotl (i32.add (local.get $acc2)
              (i32.mul (i32.load offset=4 (local.get $at)) (i32.const -2048144777))) (i32.const 13)) (i32.const -1640531535)))
            (local.set $acc3 (i32.mul (i32.rotl (i32.add (local.get $acc3)
              (i32.mul (i32.load offset=8 (local.get $at)) (i32.const -2048144777))) (i32.const 13)) (i32.const -1640531535)))
            (local.set $acc4 (i32.mul (i32.rotl (i32.add (local.get $acc4)
              (i32.mul (i32.load offset=12 (local.get $at)) (i32.const -2048144777))) (i32.const 13)) (i32.const -1640531535)))
            (local.set $word (i64.xor (i64.load (local.get $at)) (i64.const 0x7b7b7b7b7b7b7b7b)))
            (local.set $marks (i64.or (local.get $marks) (i64.and
              (i64.sub (local.get $word) (i64.const 0x0101010101010101)) (i64.xor (local.get $word) (i64.const -1)))))
            (local.set $word (i64.xor (i64.load offset=8 (local.get $at)) (i64.const 0x7b7b7b7b7b7b7b7b)))
            (local.set $marks (i64.or (local.get $marks) (i64.and
              (i64.sub (local.get $word) (i64.const 0x0101010101010101)) (i64.xor (local.get $word) (i64.const -1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $stripe (i32.lt_u (local.get $at) (local.get $stripesEnd))))
          (local.set $acc
            (i32.add
              (i32.add (i32.rotl (local.get $acc1) (i32.const 1)) (i32.rotl (local.get $acc2) (i32.const 7)))
              (i32.add (i32.rotl (local.get $acc3) (i32.const 12)) (i32.rotl (local.get $acc4) (i32.const 18))))))
        (else
          (local.set $acc (i32.add (local.get $seed) (i32.const 374761393)))))

      ;; The up to 15 bytes that are left, in two words, and what stands behind them: that may be of an earlier key,
      ;; but the search below looks at this key alone.
      (local.set $word (i64.xor (i64.load (local.get $at)) (i64.const 0x7b7b7b7b7b7b7b7b)))
      (local.set $marks (i64.or (local.get $marks) (i64.and
        (i64.sub (local.get $word) (i64.const 0x0101010101010101)) (i64.xor (local.get $word) (i64.const -1)))))
      (local.set $word (i64.xor (i64.load offset=8 (local.get $at)) (i64.const 0x7b7b7b7b7b7b7b7b)))
      (local.set $marks (i64.or (local.get $marks) (i64.and
        (i64.sub (local.get $word) (i64.const 0x0101010101010101)) (i64.xor (local.get $word) (i64.const -1)))))

      (local.set $acc (i32.add (local.get $acc) (local.get $length)))
      (block $lanesDone
        (loop $lane
          (br_if $lanesDone (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4)))
          (local.set $acc (i32.mul (i32.rotl (i32.add (local.get $acc)
            (i32.mul (i32.load (local.get $at)) (i32.const -1028477379))) (i32.const 17)) (i32.const 668265263)))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br $lane)))
      (block $bytesDone
        (loop $byte
          (br_if $bytesDone (i32.eq (local.get $at) (local.get $end)))
          (local.set $acc (i32.mul (i32.rotl (i32.add (local.get $acc)
            (i32.mul (i32.load8_u (local.get $at)) (i32.const 374761393))) (i32.const 11)) (i32.const -1640531535)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $byte)))

      (local.set $acc (i32.mul (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 15))) (i32.const -2048144777)))
      (local.set $acc (i32.mul (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 13))) (i32.const -1028477379)))
      (local.set $acc (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 16))))

      (if (i64.eqz (i64.and (local.get $marks) (i64.const 0x8080808080808080))) (then (return (local.get $acc))))
      (if (local.get $searched) (then (return (local.get $acc))))
      (local.set $searched (i32.const 1))

      ;; `start`: just after the first `{`.
      (loop $open
        (if (i32.eq (local.get $start) (local.get $end)) (then (return (local.get $acc))))
        (local.set $start (i32.add (local.get $start) (i32.const 1)))
        (br_if $open (i32.ne (i32.load8_u (i32.sub (local.get $start) (i32.const 1))) (i32.const 0x7b))))
      ;; `close`: the first `}` from there on.
      (local.set $close (local.get $start))
      (block $closed
        (loop $search
          (if (i32.eq (local.get $close) (local.get $end)) (then (return (local.get $acc))))
          (br_if $closed (i32.eq (i32.load8_u (local.get $close)) (i32.const 0x7d)))
          (local.set $close (i32.add (local.get $close) (i32.const 1)))
          (br $search)))
      (if (i32.eq (local.get $start) (local.get $close)) (then (return (local.get $acc))))
      (local.set $at (local.get $start))
      (local.set $end (local.get $close))
      (br $hash))
    ;; The loop is left by `return` alone.
    (unreachable))
)
