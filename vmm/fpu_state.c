/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/fpu_state.h"

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/paging.h"
#include "vmm/fpu.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define FXSAVE_MXCSR	24
#define FXSAVE_SOFTWARE 464 /* from here on nothing is the CPU's */
#define XSAVE_BV	512
#define XSAVE_HEADER	64

/* Components of the extended region: where in ours, and of what size (13.4.3). */
static const struct {
	uint8_t bit;
	uint16_t offset, size;
} components[] = {
	{2, offsetof(struct fpu_state, ymm_high), 256},
	{5, offsetof(struct fpu_state, opmask), 64},
	{6, offsetof(struct fpu_state, zmm_high), 512},
	{7, offsetof(struct fpu_state, zmm_16_31), 1024},
};

static uint32_t get32(const uint8_t *area, unsigned offset)
{
	uint32_t value;

	memcpy(&value, area + offset, sizeof(value));
	return value;
}

/* Where this machine's XSAVE has the component. */
static uint8_t *place(const struct vcpu *vcpu, unsigned bit)
{
	return (uint8_t *)vcpu->fpu + cpuid_sub(0xd, bit).ebx;
}

/*
 * One of nothing but zeroes is as after a reset. Not every machine says so of itself: what a VM
 * without such registers has of them must not keep it from a machine that has them not.
 */
static void get_component(const struct vcpu *vcpu, size_t i, struct fpu_state *state)
{
	const uint8_t *from = place(vcpu, components[i].bit);
	uint8_t any = 0;

	memcpy((uint8_t *)state + components[i].offset, from, components[i].size);
	for (size_t at = 0; at < components[i].size; at++)
		any |= from[at];
	if (!any)
		state->used &= ~BIT(components[i].bit);
}

void fpu_state_get(const struct vcpu *vcpu, struct fpu_state *state)
{
	memset(state, 0, sizeof(*state));
	state->xcr0 = vcpu->xcr0;
	state->used = XCR0_X87 | XCR0_SSE;
	memcpy(state->legacy, vcpu->fpu, FXSAVE_SOFTWARE);
	if (!fpu_xcr0_mask())
		return;
	memcpy(&state->used, (const uint8_t *)vcpu->fpu + XSAVE_BV, sizeof(state->used));
	for (size_t i = 0; i < ARRAY_SIZE(components); i++)
		if (state->used & BIT(components[i].bit))
			get_component(vcpu, i, state);
}

int fpu_state_check(const struct fpu_state *state)
{
	uint64_t mask = fpu_xcr0_mask() ? fpu_xcr0_mask() : XCR0_X87 | XCR0_SSE;

	if (fpu_xcr0_check(state->xcr0) || (state->used & ~mask))
		return -EINVAL;
	return get32(state->legacy, FXSAVE_MXCSR) & ~fpu_mxcsr_mask() ? -EINVAL : 0;
}

void fpu_state_set(struct vcpu *vcpu, const struct fpu_state *state)
{
	uint8_t *area = vcpu->fpu;

	vcpu->xcr0 = state->xcr0;
	memcpy(area, state->legacy, FXSAVE_SOFTWARE);
	if (!fpu_xcr0_mask())
		return;
	/* Standard format, no supervisor's components: XRSTOR wants the rest 0 (13.8). */
	memset(area + XSAVE_BV, 0, XSAVE_HEADER);
	memcpy(area + XSAVE_BV, &state->used, sizeof(state->used));
	for (size_t i = 0; i < ARRAY_SIZE(components); i++)
		if (state->used & BIT(components[i].bit))
			memcpy(place(vcpu, components[i].bit),
			       (const uint8_t *)state + components[i].offset, components[i].size);
}
