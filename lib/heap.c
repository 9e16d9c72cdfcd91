/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/heap.h"

#include <stddef.h>

/* The siblings from @first on become one heap: in pairs from the left, then those from the right.
 */
static struct heap_node *heap_meld_all(struct heap_node *first)
{
	struct heap_node *pairs = NULL, *root;

	while (first && first->next) {
		struct heap_node *a = first, *b = first->next;

		first = b->next;
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	if (first) {
		first->next = pairs;
		pairs = first;
	}
	root = pairs;
	if (!root)
		return NULL;
	pairs = root->next;
	while (pairs) {
		struct heap_node *next = pairs->next;

		root = heap_meld(root, pairs);
		pairs = next;
	}
	root->next = NULL;
	root->prev = NULL;
	return root;
}

void heap_remove(struct heap_node **root, struct heap_node *node)
{
	struct heap_node *below = node->child ? heap_meld_all(node->child) : NULL;

	if (*root == node) {
		*root = below;
		return;
	}
	if (node->prev->child == node)
		node->prev->child = node->next;
	else
		node->prev->next = node->next;
	if (node->next)
		node->next->prev = node->prev;
	if (below)
		*root = heap_meld(*root, below);
}
