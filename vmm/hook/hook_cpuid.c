/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID leaves lie in three classes by their top bits: basic, hypervisor and
 * extended. Each class has an array by leaf, so that a query is an index; a
 * leaf has one answer for all subleaves, or several by subleaf, and at most
 * one handler. Every change makes a new map.
 */
#include "vmm/hook/hook_cpuid.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_range.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define CPUID_CLASSES	  4u /* the last one is empty */
#define CPUID_CLASS_USED  3u
#define CPUID_CLASS_SHIFT 30
#define CPUID_INDEX_MASK  0x3fffffffu
#define CPUID_LEAVES_MAX  0x4000u /* of one class */
#define CPUID_ANY	  UINT32_MAX

struct cpuid_answer {
	uint32_t leaf, subleaf;
	struct cpuid_regs regs;
};

struct cpuid_leaf {
	const struct hook_cpuid *hook;
	const struct cpuid_regs *any; /* its only answer, for every subleaf; or NULL: */
	uint32_t first, count;	      /* its answers */
};

struct hook_cpuid_map {
	uint32_t leaf_count[CPUID_CLASSES];
	uint32_t beyond; /* the leaf that answers for those beyond the last, or 0 */
	struct cpuid_leaf *leaves[CPUID_CLASSES];
	uint32_t answer_count;
	struct cpuid_answer *answers; /* by leaf, then subleaf */
};

struct hook_cpuid_map *hook_cpuid_map_create(void)
{
	return kzalloc(sizeof(struct hook_cpuid_map));
}

void hook_cpuid_map_destroy(struct hook_cpuid_map *map)
{
	for (unsigned i = 0; map && i < CPUID_CLASSES; i++)
		kfree(map->leaves[i]);
	if (map)
		kfree(map->answers);
	kfree(map);
}

static bool leaf_valid(uint32_t leaf)
{
	return leaf >> CPUID_CLASS_SHIFT < CPUID_CLASS_USED &&
	       (leaf & CPUID_INDEX_MASK) < CPUID_LEAVES_MAX;
}

static __always_inline struct cpuid_leaf *find(const struct hook_cpuid_map *map, uint32_t leaf)
{
	uint32_t class = leaf >> CPUID_CLASS_SHIFT;
	uint32_t index = leaf & CPUID_INDEX_MASK;

	if (unlikely(index >= map->leaf_count[class]))
		return NULL;
	return &map->leaves[class][index];
}

/* Where each leaf's answers are in this map. */
static void index_answers(struct hook_cpuid_map *map)
{
	for (uint32_t i = 0; i < map->answer_count; i++) {
		const struct cpuid_answer *a = &map->answers[i];
		struct cpuid_leaf *l = find(map, a->leaf);

		if (i == 0 || a[-1].leaf != a->leaf) {
			l->first = i;
			l->count = 0;
		}
		l->count++;
		l->any = l->count == 1 && a->subleaf == CPUID_ANY ? &a->regs : NULL;
	}
}

/* A copy of @old with room for @leaf and for @more answers, or NULL. */
static struct hook_cpuid_map *copy(const struct hook_cpuid_map *old, uint32_t leaf, uint32_t more)
{
	struct hook_cpuid_map *map = hook_cpuid_map_create();

	if (!map)
		return NULL;
	for (unsigned i = 0; i < CPUID_CLASSES; i++) {
		uint32_t count = old->leaf_count[i];

		if (leaf >> CPUID_CLASS_SHIFT == i)
			count = MAX(count, (leaf & CPUID_INDEX_MASK) + 1);
		if (!count)
			continue;
		map->leaves[i] = kcalloc(count, sizeof(*map->leaves[i]));
		if (!map->leaves[i])
			goto free_map;
		map->leaf_count[i] = count;
		if (old->leaf_count[i])
			memcpy(map->leaves[i], old->leaves[i],
			       old->leaf_count[i] * sizeof(*map->leaves[i]));
	}
	map->answers = kcalloc((size_t)old->answer_count + more + 1, sizeof(*map->answers));
	if (!map->answers)
		goto free_map;
	map->answer_count = old->answer_count;
	map->beyond = old->beyond;
	if (old->answer_count)
		memcpy(map->answers, old->answers, old->answer_count * sizeof(*map->answers));
	index_answers(map);
	return map;
free_map:
	hook_cpuid_map_destroy(map);
	return NULL;
}

/* Ends a change: @map NULL means that there was no memory. Releases the lock. */
static int publish(struct vm *vm, struct hook_cpuid_map *map)
{
	struct hook_cpuid_map *old = vm->hooks->cpuid;

	if (map)
		grace_publish(vm->hooks->cpuid, map);
	spin_unlock(&vm->hooks->lock);
	if (!map)
		return -ENOMEM;
	hook_wait(vm);
	hook_cpuid_map_destroy(old);
	return 0;
}

static const struct hook_cpuid *conflict(const struct hook_cpuid_map *map,
					 const struct hook_cpuid *hook)
{
	for (uint32_t leaf = hook->first; leaf <= hook->last; leaf++) {
		const struct cpuid_leaf *l = find(map, leaf);

		if (l && l->hook)
			return l->hook;
	}
	return NULL;
}

int hook_cpuid_add(struct vm *vm, const struct hook_cpuid *hook)
{
	const struct hook_cpuid *other;
	struct hook_cpuid_map *map;

	if (hook->first > hook->last || !leaf_valid(hook->first) || !leaf_valid(hook->last) ||
	    hook->first >> CPUID_CLASS_SHIFT != hook->last >> CPUID_CLASS_SHIFT)
		return -EINVAL;
	spin_lock(&vm->hooks->lock);
	other = conflict(vm->hooks->cpuid, hook);
	if (other) {
		spin_unlock(&vm->hooks->lock);
		vm_log(vm, LOG_ERROR, "CPUID leaves 0x%x-0x%x, wanted by %s, are %s's (0x%x-0x%x)",
		       hook->first, hook->last, hook->owner, other->owner, other->first,
		       other->last);
		return -EBUSY;
	}
	map = copy(vm->hooks->cpuid, hook->last, 0);
	for (uint32_t leaf = hook->first; map && leaf <= hook->last; leaf++)
		find(map, leaf)->hook = hook;
	return publish(vm, map);
}

/* In the map as it is: a handler's entry is one pointer, and this must not fail. */
void hook_cpuid_remove(struct vm *vm, const struct hook_cpuid *hook)
{
	spin_lock(&vm->hooks->lock);
	for (uint32_t leaf = hook->first; leaf <= hook->last; leaf++) {
		struct cpuid_leaf *l = find(vm->hooks->cpuid, leaf);

		if (l && l->hook == hook)
			WRITE_ONCE(l->hook, NULL);
	}
	spin_unlock(&vm->hooks->lock);
	hook_wait(vm);
}

/* Where the answer of (@leaf, @subleaf) is or belongs. */
static uint32_t answer_place(const struct hook_cpuid_map *map, uint32_t leaf, uint32_t subleaf)
{
	uint32_t i = 0;

	while (i < map->answer_count &&
	       (map->answers[i].leaf < leaf ||
		(map->answers[i].leaf == leaf && map->answers[i].subleaf < subleaf)))
		i++;
	return i;
}

static void put_answer(struct hook_cpuid_map *map, const struct cpuid_answer *answer)
{
	uint32_t at = answer_place(map, answer->leaf, answer->subleaf);
	struct cpuid_answer *a = &map->answers[at];

	if (at == map->answer_count || a->leaf != answer->leaf || a->subleaf != answer->subleaf) {
		memmove(a + 1, a, (map->answer_count - at) * sizeof(*a));
		map->answer_count++;
	}
	*a = *answer;
	index_answers(map);
}

int hook_cpuid_set(struct vm *vm, uint32_t leaf, uint32_t subleaf, const struct cpuid_regs *regs)
{
	struct cpuid_answer answer = {.leaf = leaf, .subleaf = subleaf, .regs = *regs};
	struct hook_cpuid_map *map;

	if (!leaf_valid(leaf))
		return -EINVAL;
	spin_lock(&vm->hooks->lock);
	map = copy(vm->hooks->cpuid, leaf, 1);
	if (map)
		put_answer(map, &answer);
	return publish(vm, map);
}

int hook_cpuid_set_beyond(struct vm *vm, uint32_t leaf)
{
	struct hook_cpuid_map *map;

	if (!leaf_valid(leaf) || leaf >> CPUID_CLASS_SHIFT)
		return -EINVAL;
	spin_lock(&vm->hooks->lock);
	map = copy(vm->hooks->cpuid, leaf, 0);
	if (map)
		map->beyond = leaf;
	return publish(vm, map);
}

/* The table's answer; all zero where it has none. */
static void table_answer(const struct hook_cpuid_map *map, const struct cpuid_leaf *leaf,
			 uint32_t subleaf, struct cpuid_regs *regs)
{
	const struct cpuid_answer *a = &map->answers[leaf->first];

	for (uint32_t i = 0; i < leaf->count; i++, a++) {
		if (a->subleaf == subleaf || a->subleaf == CPUID_ANY) {
			*regs = a->regs;
			return;
		}
	}
	*regs = (struct cpuid_regs){0};
}

static __noinline __cold void beyond(const struct hook_cpuid_map *map, struct vcpu *vcpu,
				     uint32_t leaf, uint32_t subleaf, struct cpuid_regs *regs)
{
	*regs = (struct cpuid_regs){0};
	if (map->beyond && leaf > map->beyond) /* which the table reaches */
		hook_cpuid_query(vcpu, map->beyond, subleaf, regs);
}

bool hook_cpuid_nth(struct vm *vm, uint32_t n, uint32_t *leaf, uint32_t *subleaf,
		    struct cpuid_regs *regs)
{
	const struct hook_cpuid_map *map = grace_read(vm->hooks->cpuid);

	if (n >= map->answer_count)
		return false;
	*leaf = map->answers[n].leaf;
	*subleaf = map->answers[n].subleaf;
	*regs = map->answers[n].regs;
	return true;
}

void hook_cpuid_query(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *regs)
{
	const struct hook_cpuid_map *map = grace_read(vcpu->vm->hooks->cpuid);
	const struct cpuid_leaf *l = find(map, leaf);
	const struct hook_cpuid *hook;

	if (unlikely(!l)) {
		beyond(map, vcpu, leaf, subleaf, regs);
		return;
	}
	if (likely(l->any))
		*regs = *l->any;
	else
		table_answer(map, l, subleaf, regs);
	hook = READ_ONCE(l->hook);
	if (hook)
		hook->fn(hook->opaque, vcpu, leaf, subleaf, regs);
}
