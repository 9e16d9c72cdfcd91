/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtio_net.c devices/virtio/virtio_net_queue.c */
/* test-sources: devices/virtio/virtio_net_mac.c */
/* test-sources: devices/virtio/virtio_net_control.c devices/virtio/virtio_net_filter.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/slow_net.c vmm/net_frontend.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* test-sources: tests/host/virtio/net_driver.c tests/host/virtio/guest_driver.c */
/* A card that is restored while another has the address that its driver uses. */
#include "devices/hostdev/host_device.h"
#include "tests/host/virtio/net_driver.h"
#include "tests/host/virtio/slow_net.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OWN  "\x02\0\0\0\0\x01"
#define ELSE "\x02\0\0\0\0\x07"

static struct virtio_net other;
static struct vm other_vm;
static struct device other_owner = {.vm = &other_vm, .id = "other"};

/* A card of that address is there, another VM's or not; ours was restored and its driver is at
 * work. */
static const char *restored(const char *address, const struct device *owner)
{
	const struct device_state *saved = net->virtio.hd->scheme->saved;

	slow_net_plug();
	guest_drive(CONTROL_ALL, 3);
	offer(100, 20);
	memset(&other, 0, sizeof(other));
	assert_int_equal(virtio_net_register(&other, owner, address), 0);
	return saved->post_load(net);
}

static const char *restored_beside(const char *address)
{
	return restored(address, &other_owner);
}

static uint64_t sent(void)
{
	memset(frame, 0, sizeof(frame));
	put_header(DATA, 0, 0, 0, 0, 0);
	send(60);
	return count_used(tx);
}

static uint64_t status(void)
{
	return config_in(6, 2);
}

static int twin_teardown(void **state)
{
	virtio_net_unregister(&other);
	return net_teardown(state);
}

static void test_no_twin(void **state)
{
	(void)state;
	assert_null(restored_beside("02:00:00:00:00:09"));
	assert_int_equal(status(), VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	assert_int_equal(config_mac(), 0x010000000002);
}

/* It gets one of its own, and the link with the driver's taking it, or another that is nobody's. */
static void test_twin(void **state)
{
	uint64_t mac;

	(void)state;
	assert_null(restored_beside("02:00:00:00:00:01"));
	assert_int_equal(status(), 0);
	mac = config_mac();
	assert_int_not_equal(mac, 0x010000000002);
	assert_int_equal(mac & 3, 2);
	/* Whatever its network does. */
	slow_net_unplug();
	slow_net_plug();
	assert_int_equal(status(), 0);
	assert_true(command(1, 1, OWN, 6));
	assert_int_equal(status(), 0);
	assert_true(command(1, 1, &mac, 6));
	assert_int_equal(status(), VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	/* From then on the address is the driver's business. */
	assert_true(command(1, 1, OWN, 6));
	assert_int_equal(status(), VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
}

/* Its frames go nowhere, and nobody's come, whatever its driver thinks of the link. */
static void test_twin_is_silent(void **state)
{
	uint8_t data[60] = {0};
	uint64_t mac;
	uint32_t len;
	uint16_t id;

	(void)state;
	assert_null(restored_beside("02:00:00:00:00:01"));
	mac = config_mac();
	assert_int_equal(sent(), 1);
	assert_int_equal(slow_net.sent, 0);
	memset(data, 0xff, 6);
	assert_true(slow_net_give(data, sizeof(data), plain));
	assert_false(guest_used(rx, &id, &len));
	assert_true(command(1, 1, &mac, 6));
	assert_int_equal(sent(), 1);
	assert_int_equal(slow_net.sent, 1);
	assert_true(slow_net_give(data, sizeof(data), plain));
	assert_true(guest_used(rx, &id, &len));
}

/* Cards of a bond use one address, and are restored so. */
static void test_cards_of_one_vm(void **state)
{
	(void)state;
	assert_null(restored("02:00:00:00:00:01", net->virtio.hd->owner));
	assert_int_equal(status(), VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
}

/* The one that it was saved from is gone: the first that is restored has its address, also for the
 * next one, until its driver takes another. */
static void test_twin_of_a_twin(void **state)
{
	(void)state;
	slow_net_plug();
	memset(&other, 0, sizeof(other));
	spinlock_init(&other.filter.lock);
	assert_int_equal(virtio_net_register(&other, &other_owner, "02:00:00:00:00:05"), 0);
	memcpy(other.filter.mac, OWN, NET_MAC_LEN);
	memcpy(net->frontend.mac, ELSE, NET_MAC_LEN);
	assert_false(virtio_net_find_twin(&other));
	guest_drive(CONTROL_ALL, 3);
	offer(100, 20);
	memcpy(net->filter.mac, OWN, NET_MAC_LEN);
	assert_true(virtio_net_find_twin(net));
	assert_memory_equal(net->frontend.mac, ELSE, NET_MAC_LEN);
	assert_true(virtio_net_is_taken(net, (const uint8_t *)OWN));
	virtio_net_forget_lent(&other);
	assert_false(virtio_net_is_taken(net, (const uint8_t *)OWN));
	assert_false(virtio_net_find_twin(net));
}

static void test_twin_takes_another(void **state)
{
	(void)state;
	assert_null(restored_beside("02:00:00:00:00:01"));
	assert_true(command(1, 1, ELSE, 6));
	assert_int_equal(status() & VIRTIO_NET_S_LINK_UP, VIRTIO_NET_S_LINK_UP);
}

static void test_twin_begins_anew(void **state)
{
	uint64_t mac;

	(void)state;
	assert_null(restored_beside("02:00:00:00:00:01"));
	mac = config_mac();
	guest_drive(CONTROL_ALL, 3);
	assert_int_equal(status(), VIRTIO_NET_S_LINK_UP);
	assert_int_equal(config_mac(), mac);
	assert_memory_equal(net->filter.mac, &mac, NET_MAC_LEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_setup, twin_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_twin),	     TEST(test_twin),
		TEST(test_twin_is_silent),   TEST(test_cards_of_one_vm),
		TEST(test_twin_of_a_twin),   TEST(test_twin_takes_another),
		TEST(test_twin_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
