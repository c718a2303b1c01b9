"""LLVM IR of the driver: a thread's share of a run, and a helper's life; see `driver_text`."""

from __future__ import annotations

HELPING = """
; A thread's share of a run. Returns how many leading records it knows to be complete, -1 when the
; run is over, -2 when a check failed.
define internal i64 @work(ptr %table, ptr %pool, i64 %thread, i64 %run, i64 %first,
                          i64 %last) #0 {
entry:
  %records = load ptr, ptr %table
  %flags_at = getelementptr i64, ptr %table, i64 $FLAGS
  %flags = load ptr, ptr %flags_at
  %flag_count_at = getelementptr i64, ptr %table, i64 $FLAG_COUNT
  %flag_count = load i64, ptr %flag_count_at
  %scratches_at = getelementptr i64, ptr %table, i64 $SCRATCH
  %scratches = load ptr, ptr %scratches_at
  %stride_at = getelementptr i64, ptr %table, i64 $SCRATCH_STRIDE
  %stride = load i64, ptr %stride_at
  %stamps_at = getelementptr i64, ptr %table, i64 $STAMPS
  %scratch_offset = mul i64 %stride, %thread
  %scratch = getelementptr i8, ptr %scratches, i64 %scratch_offset
  %tag = shl i64 %run, 32
  br label %record
record:
  %r = phi i64 [ %first, %entry ], [ %r1, %following_record ]
  %frontier = phi i64 [ %first, %entry ], [ %reached, %following_record ]
  %more = icmp slt i64 %r, %last
  br i1 %more, label %depend, label %finish
depend:
  %base = getelementptr [$RECORD_WORDS x i64], ptr %records, i64 %r
  %waits_at = getelementptr i64, ptr %base, i64 $WAITS
  %waits = load i64, ptr %waits_at
  %effect_at = getelementptr i64, ptr %base, i64 $EFFECT
  %effect = load i64, ptr %effect_at
  %chunks_at = getelementptr i64, ptr %base, i64 $CHUNKS
  %chunks = load i64, ptr %chunks_at
  %next_at = getelementptr i64, ptr %base, i64 $NEXT
  %work = icmp ne i64 %chunks, 0
  %changes = icmp ne i64 %effect, 0
  %guarded = and i1 %work, %changes
  %target = select i1 %guarded, i64 %r, i64 %waits
  %forward = icmp slt i64 %frontier, %target
  br i1 %forward, label %wait, label %ready
wait:
  %waited = call i64 @await(ptr %table, ptr %pool, ptr %records, i64 %frontier, i64 %target,
                            i64 %run)
  %over = icmp slt i64 %waited, 0
  br i1 %over, label %leave, label %ready
ready:
  %reached = phi i64 [ %frontier, %depend ], [ %waited, %wait ]
  br i1 %guarded, label %check, label %start
check:
  %stop = call i1 @flagged(ptr %flags, i64 %flag_count)
  br i1 %stop, label %refuse, label %start
refuse:
  ; Nobody is past this record unless it was begun, and then before the check failed: one exchange
  ; decides for all.
  %refusal = cmpxchg ptr %next_at, i64 %tag, i64 -1 seq_cst seq_cst, align 8
  %found = extractvalue { i64, i1 } %refusal, 0
  %refused = extractvalue { i64, i1 } %refusal, 1
  %refused_before = icmp eq i64 %found, -1
  %closed = or i1 %refused, %refused_before
  br i1 %closed, label %failed, label %start
start:
  %function = load ptr, ptr %base
  %arguments_at = getelementptr i64, ptr %base, i64 $ARGUMENTS
  %arguments = load ptr, ptr %arguments_at
  %units_at = getelementptr i64, ptr %base, i64 $UNITS
  %units = load i64, ptr %units_at
  %chunk_at = getelementptr i64, ptr %base, i64 $CHUNK
  %chunk = load i64, ptr %chunk_at
  %done_at = getelementptr i64, ptr %base, i64 $DONE
  %full = or i64 %tag, %chunks
  ; Every other thread takes chunks from the end on: so a thread most often gets those that it had
  ; in the run before, whose data its cache still has. Each end has 16 bits of the counter.
  %odd = trunc i64 %thread to i1
  %two_ends = icmp slt i64 %chunks, 65536
  %from_end = and i1 %odd, %two_ends
  %step = select i1 %from_end, i64 65536, i64 1
  %front_mask = select i1 %two_ends, i64 65535, i64 4294967295
  %back_mask = select i1 %two_ends, i64 65535, i64 0
  br label %look
look:
  %first_seen = load atomic i64, ptr %next_at monotonic, align 8
  br label %take
take:
  %seen = phi i64 [ %first_seen, %look ], [ %now_seen, %claim ], [ %following, %call ]
  %mine = phi i64 [ 0, %look ], [ %mine, %claim ], [ %mine1, %call ]
  %its_run = lshr i64 %seen, 32
  %current = icmp eq i64 %its_run, %run
  br i1 %current, label %count, label %leave
count:
  %front = and i64 %seen, %front_mask
  %shifted = lshr i64 %seen, 16
  %back = and i64 %shifted, %back_mask
  %gone = add i64 %front, %back
  %any = icmp slt i64 %gone, %chunks
  br i1 %any, label %claim, label %exhausted
claim:
  %following = add i64 %seen, %step
  %exchange = cmpxchg ptr %next_at, i64 %seen, i64 %following acq_rel monotonic, align 8
  %now_seen = extractvalue { i64, i1 } %exchange, 0
  %taken = extractvalue { i64, i1 } %exchange, 1
  br i1 %taken, label %call, label %take
call:
  %left = sub i64 %chunks, %back
  %last_left = sub i64 %left, 1
  %index = select i1 %from_end, i64 %last_left, i64 %front
  %begin = mul i64 %index, %chunk
  %beyond = add i64 %begin, %chunk
  %within = icmp slt i64 %beyond, %units
  %end = select i1 %within, i64 %beyond, i64 %units
  call void %function(ptr %arguments, i64 %begin, i64 %end, ptr %scratch)
  %mine1 = add i64 %mine, 1
  br label %take
exhausted:
  ; A thread accounts for its chunks once: until then the run cannot be over.
  %none = icmp eq i64 %mine, 0
  br i1 %none, label %following_record, label %time
time:
  %stamps = load ptr, ptr %stamps_at
  %stamped = icmp ne ptr %stamps, null
  br i1 %stamped, label %stamp, label %account
stamp:
  %time_now = call i64 @now()
  %stamp_at = getelementptr i64, ptr %stamps, i64 %r
  %earlier = atomicrmw max ptr %stamp_at, i64 %time_now monotonic
  br label %account
account:
  %done_before = atomicrmw add ptr %done_at, i64 %mine seq_cst
  %done = add i64 %done_before, %mine
  %complete = icmp eq i64 %done, %full
  br i1 %complete, label %tell, label %following_record
tell:
  call void @announce(ptr %table)
  br label %following_record
following_record:
  %r1 = add i64 %r, 1
  br label %record
finish:
  ret i64 %frontier
leave:
  ret i64 -1
failed:
  ret i64 -2
}

; A helper's life: waits for runs and takes part, until the pool stops. `thread` is the number of
; its slot.
define void @workbench_helper(ptr %pool, i64 %thread) #0 {
entry:
  %sleepers_at = getelementptr i64, ptr %pool, i64 $SLEEPERS
  %stop_at = getelementptr i64, ptr %pool, i64 $STOP
  %job_at = getelementptr i64, ptr %pool, i64 $JOB
  %spins_at = getelementptr i64, ptr %pool, i64 $IDLE_SPINS
  %spins = load i64, ptr %spins_at
  %slots = getelementptr i64, ptr %pool, i64 $SLOTS
  %slot_offset = mul i64 %thread, 8
  %slot = getelementptr i64, ptr %slots, i64 %slot_offset
  br label %look
look:
  %seen = phi i32 [ 0, %entry ], [ %seen, %spin ], [ %seen, %yield ], [ %seen, %sleep ],
                  [ %seen, %retry ], [ %generation, %ignore ], [ %generation, %worked ]
  %k = phi i64 [ 0, %entry ], [ %k1, %spin ], [ %k2, %yield ], [ %spins, %sleep ],
               [ 0, %retry ], [ 0, %ignore ], [ 0, %worked ]
  %generation = load atomic i32, ptr %pool seq_cst, align 4
  %new = icmp ne i32 %generation, %seen
  br i1 %new, label %arrive, label %idle
idle:
  %eager = icmp slt i64 %k, %spins
  br i1 %eager, label %wait, label %rest
wait:
  ; Now and then another thread that wants this processor gets it.
  %k1 = add i64 %k, 1
  %low = and i64 %k1, 63
  %polite = icmp eq i64 %low, 0
  br i1 %polite, label %yield, label %spin
spin:
  $PAUSE
  br label %look
yield:
  %yielded = call i32 @sched_yield()
  %k2 = add i64 %k, 1
  br label %look
rest:
  %sleepers = atomicrmw add ptr %sleepers_at, i32 1 seq_cst
  br label %sleep
sleep:
  call void @sleep(ptr %pool, i32 %seen)
  %sleepers_before = atomicrmw sub ptr %sleepers_at, i32 1 seq_cst
  br label %look
arrive:
  %stop = load atomic i32, ptr %stop_at seq_cst, align 4
  %stopped = icmp ne i32 %stop, 0
  br i1 %stopped, label %end, label %hold
hold:
  %table = load atomic ptr, ptr %job_at seq_cst, align 8
  store atomic ptr %table, ptr %slot seq_cst, align 8
  ; Only now is it certain that the table is not freed, provided it is still wanted.
  %table_again = load atomic ptr, ptr %job_at seq_cst, align 8
  %held = icmp eq ptr %table, %table_again
  br i1 %held, label %wanted, label %retry
wanted:
  %none = icmp eq ptr %table, null
  br i1 %none, label %ignore, label %join
join:
  %run_at = getelementptr i64, ptr %table, i64 $RUN
  %run = load atomic i64, ptr %run_at acquire, align 8
  %first_at = getelementptr i64, ptr %table, i64 $FIRST
  %first = load atomic i64, ptr %first_at acquire, align 8
  %last_at = getelementptr i64, ptr %table, i64 $LAST
  %last = load atomic i64, ptr %last_at acquire, align 8
  %threads_at = getelementptr i64, ptr %table, i64 $THREADS
  %threads = load atomic i64, ptr %threads_at acquire, align 8
  %processor_at = getelementptr i64, ptr %table, i64 $PROCESSOR
  %generation_again = load atomic i32, ptr %pool seq_cst, align 4
  %whole = icmp eq i32 %generation, %generation_again
  br i1 %whole, label %share, label %retry
share:
  ; The system may wake a helper on the processor of the thread that it is to help.
  %processor = load i64, ptr %processor_at
  %mine = call i32 @sched_getcpu()
  %mine64 = sext i32 %mine to i64
  %collides = icmp eq i64 %mine64, %processor
  br i1 %collides, label %move, label %enter
move:
  call void @move_away(ptr %pool, i64 %processor)
  br label %enter
enter:
  ; Whoever comes first takes part, so only as many are woken as there are places.
  %places_at = getelementptr i64, ptr %table, i64 $PLACES
  %places_seen = load atomic i64, ptr %places_at monotonic, align 8
  br label %place
place:
  %places = phi i64 [ %places_seen, %enter ], [ %places_now, %claim ]
  %its_run = lshr i64 %places, 32
  %current = icmp eq i64 %its_run, %run
  %number = and i64 %places, 4294967295
  %open = icmp slt i64 %number, %threads
  %free = and i1 %current, %open
  br i1 %free, label %claim, label %ignore
claim:
  %following = add i64 %places, 1
  %exchange = cmpxchg ptr %places_at, i64 %places, i64 %following acq_rel monotonic, align 8
  %places_now = extractvalue { i64, i1 } %exchange, 0
  %ours = extractvalue { i64, i1 } %exchange, 1
  br i1 %ours, label %take, label %place
take:
  %result = call i64 @work(ptr %table, ptr %pool, i64 %number, i64 %run, i64 %first, i64 %last)
  br label %worked
worked:
  store atomic ptr null, ptr %slot seq_cst, align 8
  br label %look
ignore:
  store atomic ptr null, ptr %slot seq_cst, align 8
  br label %look
retry:
  store atomic ptr null, ptr %slot seq_cst, align 8
  br label %look
end:
  ret void
}
"""
