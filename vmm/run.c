/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop. Its straight line is what every exit costs, beside the
 * vendor's run() and the handler: no call, no lock, one test for all that
 * seldom happens. What does happen then is in serve_requests().
 */
#include "vmm/vcpu.h"

#include "arch/x86_64/percpu.h"
#include "kernel/grace.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/exit.h"
#include "vmm/flight.h"
#include "vmm/fpu.h"
#include "vmm/hv_ops.h"
#include "vmm/irq.h"
#include "vmm/vm.h"

#define REQ_STICKY (VCPU_REQ_PAUSE | VCPU_REQ_STOP)

/* The guest can take @type, and nothing else is on its way. */
static bool can_take(struct vcpu *vcpu, enum vcpu_event_type type)
{
	if (vcpu->event.type != EVENT_NONE)
		return false;
	return type == EVENT_NMI ? hv_ops->nmi_allowed(vcpu) : hv_ops->irq_allowed(vcpu);
}

static void inject(struct vcpu *vcpu, struct vcpu_event event)
{
	vcpu->event = event;
	vcpu->stats.injected++;
}

/* NMIs come before interrupts (APM vol. 2, 8.5); of interrupts, what was acknowledged already. */
static void deliver(struct vcpu *vcpu)
{
	int vector = -1;

	if (vcpu->nmi_pending && can_take(vcpu, EVENT_NMI)) {
		vcpu->nmi_pending = false;
		inject(vcpu, (struct vcpu_event){.type = EVENT_NMI, .vector = 2});
	}
	if (vcpu->deferred.type != EVENT_NONE && can_take(vcpu, EVENT_EXT_INT)) {
		inject(vcpu, vcpu->deferred);
		vcpu->deferred = (struct vcpu_event){0};
	}
	vector = irq_pending(vcpu);
	if (vector >= 0 && can_take(vcpu, EVENT_EXT_INT)) {
		inject(vcpu, (struct vcpu_event){.type = EVENT_EXT_INT, .vector = (uint8_t)vector});
		irq_accept(vcpu, (uint8_t)vector);
		vector = -1;
	}
	if (vcpu->state == VCPU_HALTED) {
		if (vcpu->event.type == EVENT_NONE &&
		    !(vector == IRQ_BY_CPU && can_take(vcpu, EVENT_EXT_INT)))
			return; /* nothing can happen before a request comes */
		vcpu->state = VCPU_RUNNABLE;
	}
	if (vcpu->nmi_pending)
		hv_ops->request_nmi_window(vcpu);
	if (vector >= 0 || vcpu->deferred.type != EVENT_NONE)
		hv_ops->request_irq_window(vcpu);
}

/* SIPI: real mode at the page that it names (SDM vol. 3A, 9.4.4). */
static void start_at(struct vcpu *vcpu, uint8_t page)
{
	struct vcpu_segment cs;

	hv_ops->get_seg(vcpu, SEG_CS, &cs);
	cs.selector = (uint16_t)(page << 8);
	cs.base = (uint64_t)page << 12;
	hv_ops->set_seg(vcpu, SEG_CS, &cs);
	vcpu->rip = 0;
	vcpu->state = VCPU_RUNNABLE;
}

static void serve_bits(struct vcpu *vcpu, uint32_t bits)
{
	if (bits & VCPU_REQ_RESET)
		vcpu_init_signal(vcpu);
	if ((bits & VCPU_REQ_SIPI) && vcpu->state == VCPU_WAIT_SIPI)
		start_at(vcpu, READ_ONCE(vcpu->sipi_vector));
	if (bits & VCPU_REQ_FLUSH)
		hv_ops->flush(vcpu);
	if (bits & VCPU_REQ_TSC)
		hv_ops->tsc_changed(vcpu);
	if (bits & VCPU_REQ_TIMER)
		irq_timer(vcpu);
	if (bits & VCPU_REQ_NMI)
		vcpu->nmi_pending = true;
	if ((bits & VCPU_REQ_HALT) && vcpu->state == VCPU_RUNNABLE)
		vcpu->state = VCPU_HALTED;
}

/* Whether another vCPU may still run the guest as before a VCPU_REQ_FLUSH that it has. */
static bool others_flush(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *other = vm->vcpus[i];

		if (other != vcpu &&
		    (__atomic_load_n(&other->requests, __ATOMIC_SEQ_CST) & VCPU_REQ_FLUSH) &&
		    vcpu_may_run(other))
			return true;
	}
	return false;
}

/*
 * Does what was requested. False: the loop is left with @result. True: look
 * again, because what was done here can have made requests of its own.
 */
static __noinline bool serve_requests(struct vcpu *vcpu, enum sched_result *result)
{
	uint32_t bits = READ_ONCE(vcpu->requests);

	do {
		*result = SCHED_EXIT;
		if (bits & VCPU_REQ_STOP)
			return false;
		*result = SCHED_BLOCK;
		if (bits & VCPU_REQ_PAUSE)
			return false;
		/* Taken before it is acted upon: what comes meanwhile is seen at the next look. */
		bits = __atomic_fetch_and(&vcpu->requests, REQ_STICKY, __ATOMIC_SEQ_CST);
		serve_bits(vcpu, bits & ~REQ_STICKY);
		/* Out of the loop, it keeps nobody waiting who waits for it. */
		if (unlikely((bits & VCPU_REQ_SYNC) && others_flush(vcpu))) {
			__atomic_fetch_or(&vcpu->requests, VCPU_REQ_SYNC, __ATOMIC_SEQ_CST);
			*result = SCHED_YIELD;
			return false;
		}
		if (vcpu->state == VCPU_RUNNABLE || vcpu->state == VCPU_HALTED)
			deliver(vcpu);
		/* Nobody is woken for a bit that is set already: none is left when it sleeps. */
		bits = READ_ONCE(vcpu->requests);
	} while (vcpu->state != VCPU_RUNNABLE && bits);
	if (vcpu->state != VCPU_RUNNABLE)
		return false;
	*result = SCHED_YIELD;
	return !this_cpu()->need_resched;
}

/* RIP moves on; the one place where it does. */
static __always_inline void advance(const struct hv_ops *ops, struct vcpu *vcpu, uint64_t len)
{
	if (len == 0)
		len = vcpu_emulate_length(vcpu);
	if (unlikely(len == 0))
		return; /* a fault was injected instead */
	vcpu->rip += len;
	ops->insn_done(vcpu);
}

static void run(struct vcpu *vcpu)
{
	const struct hv_ops *ops = hv_ops;
	struct flight_exit *flight = vcpu->flight;
	struct cpu *cpu = this_cpu();
	uint64_t at = vcpu->flight_at;
	struct vm_exit exit;
	enum vm_exit_kind kind;

	/* What the loop uses is worth a register each: a constant of 64 bits is long, and a vCPU's
	 * members need no second pointer into it. */
	opaque_to_compiler(cpu);
	opaque_to_compiler(vcpu);
	for (;;) {
		grace_quiescent_here(cpu);
		if (unlikely(READ_ONCE(vcpu->requests) | cpu->need_resched))
			break;
		ops->run(vcpu, &exit);
		kind = exit.kind;
		at = flight_begin(flight, at, vcpu, &exit, kind);
		vcpu->stats.exits[kind]++;
		if (exit_table[kind](vcpu, &exit) == EXIT_ADVANCE)
			advance(ops, vcpu, exit.insn_len);
		at = flight_end(flight, at);
	}
	vcpu->flight_at = at;
}

static void leave(struct vcpu *vcpu)
{
	uint32_t bits = __atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST);

	sched_leave_world();
	if (bits & REQ_STICKY) {
		fpu_save(vcpu);
		__atomic_store_n(&vcpu->pause_seen,
				 __atomic_load_n(&vcpu->pause_wanted, __ATOMIC_SEQ_CST),
				 __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&vcpu->in_loop, false, __ATOMIC_SEQ_CST);
}

enum sched_result vcpu_run(struct sched_entity *e)
{
	struct vcpu *vcpu = container_of(e, struct vcpu, entity);
	enum sched_result result;

	__atomic_store_n(&vcpu->in_loop, true, __ATOMIC_SEQ_CST);
	while (serve_requests(vcpu, &result)) {
		fpu_load(vcpu);
		run(vcpu);
	}
	leave(vcpu);
	return result;
}

static void exited(struct sched_entity *e)
{
	struct vcpu *vcpu = container_of(e, struct vcpu, entity);

	/* The last access: the vCPU may be freed from here on. */
	__atomic_store_n(&vcpu->exited, true, __ATOMIC_SEQ_CST);
}

const struct sched_ops vcpu_sched_ops = {.run = vcpu_run, .exited = exited};
