;; XXH32, seed 0, of the bytes that stand in memory from address 0 on, and nothing else: what hashing a long key costs at
;; least. The constants are those of the specification, as signed integers.
(module
  (memory (export "memory") 1 1)

  (func $round (param $acc i32) (param $lane i32) (result i32)
    (i32.mul
      (i32.rotl (i32.add (local.get $acc) (i32.mul (local.get $lane) (i32.const -2048144777))) (i32.const 13))
      (i32.const -1640531535)))

  (func (export "hash") (param $length i32) (result i32)
    (local $at i32) (local $end i32)
    (local $acc i32) (local $acc1 i32) (local $acc2 i32) (local $acc3 i32) (local $acc4 i32)
    (if (i32.ge_u (local.get $length) (i32.const 16))
      (then
        (local.set $acc1 (i32.const 606290984))
        (local.set $acc2 (i32.const -2048144777))
        (local.set $acc4 (i32.const 1640531535))
        (local.set $end (i32.and (local.get $length) (i32.const -16)))
        (loop $stripe
          (local.set $acc1 (call $round (local.get $acc1) (i32.load (local.get $at))))
          (local.set $acc2 (call $round (local.get $acc2) (i32.load offset=4 (local.get $at))))
          (local.set $acc3 (call $round (local.get $acc3) (i32.load offset=8 (local.get $at))))
          (local.set $acc4 (call $round (local.get $acc4) (i32.load offset=12 (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $stripe (i32.lt_u (local.get $at) (local.get $end))))
        (local.set $acc
          (i32.add
            (i32.add (i32.rotl (local.get $acc1) (i32.const 1)) (i32.rotl (local.get $acc2) (i32.const 7)))
            (i32.add (i32.rotl (local.get $acc3) (i32.const 12)) (i32.rotl (local.get $acc4) (i32.const 18))))))
      (else
        (local.set $acc (i32.const 374761393))))
    (local.set $acc (i32.add (local.get $acc) (local.get $length)))
    (block $noLane
      (loop $lane
        (br_if $noLane (i32.gt_u (i32.add (local.get $at) (i32.const 4)) (local.get $length)))
        (local.set $acc
          (i32.mul
            (i32.rotl
              (i32.add (local.get $acc) (i32.mul (i32.load (local.get $at)) (i32.const -1028477379)))
              (i32.const 17))
            (i32.const 668265263)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $lane)))
    (block $noByte
      (loop $byte
        (br_if $noByte (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $acc
          (i32.mul
            (i32.rotl
              (i32.add (local.get $acc) (i32.mul (i32.load8_u (local.get $at)) (i32.const 374761393)))
              (i32.const 11))
            (i32.const -1640531535)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $byte)))
    (local.set $acc
      (i32.mul (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 15))) (i32.const -2048144777)))
    (local.set $acc
      (i32.mul (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 13))) (i32.const -1028477379)))
    (i32.xor (local.get $acc) (i32.shr_u (local.get $acc) (i32.const 16)))))
