/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairing heap, intrusive, smallest key first. Insertion is O(1), removal of
 * any node O(log n) amortized (Fredman, Sedgewick, Sleator, Tarjan: "The
 * pairing heap: a new form of self-adjusting heap", 1986).
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key;
	struct heap_node *child; /* the first */
	struct heap_node *next;	 /* sibling */
	struct heap_node *prev;	 /* sibling, or the parent of a first child */
};

/* Two roots, neither NULL, become one. */
static inline struct heap_node *heap_meld(struct heap_node *a, struct heap_node *b)
{
	if (b->key < a->key) {
		struct heap_node *swap = a;

		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* @root: the smallest node, NULL when the heap is empty. */
static inline void heap_insert(struct heap_node **root, struct heap_node *node)
{
	node->child = NULL;
	node->next = NULL;
	node->prev = NULL;
	*root = *root ? heap_meld(*root, node) : node;
}

/* @node is in the heap of @root. */
void heap_remove(struct heap_node **root, struct heap_node *node);

#endif
