/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start-up, from entry.S to the first task: boot_main() is the table of
 * contents. Runs on the boot CPU with interrupts off.
 */
#include "admin/admin.h"
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/image.h"
#include "arch/x86_64/ioapic.h"
#include "arch/x86_64/machine.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu_init.h"
#include "arch/x86_64/pic.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/tsc.h"
#include "boot/cmdline.h"
#include "boot/host.h"
#include "boot/memory.h"
#include "boot/multiboot2.h"
#include "drivers/screen.h"
#include "drivers/serial.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/packed.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/panic_card.h"
#include "kernel/power.h"
#include "kernel/sched.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "kernel/version.h"
#include "vmm/device.h"
#include "vmm/vm_config.h"
#include "vmm/vmm.h"

#include <errno.h>

#define MBI_MAX	   (1 << 20)
#define LOW_LIMIT  UINT64_C(0xa0000)
#define MEMORY_MIN (UINT64_C(24) << 20)

void boot_main(uint32_t magic, uint64_t mbi_phys);

/* Start-up's own; all but the command line are of no use afterwards. */
static struct cmdline cmdline;
static struct multiboot2_faults faults;
static int parse_error;
static struct memory_set free_memory;
static struct memory_set direct_memory;
static uint64_t low_phys;
static bool panic_card_is_free;
static uint64_t start_tsc;
/* The other CPUs that have come as far as their scheduler, by now. Atomic. */
static uint32_t cpus_ready;

/* What entry.S found, before anything can be said. */
static void read_boot_info(uint32_t magic, uint64_t mbi_phys)
{
	parse_error =
		magic == MULTIBOOT2_BOOTLOADER_MAGIC
			? multiboot2_parse(paging_direct(mbi_phys), MBI_MAX, &boot_info, &faults)
			: -1;
	cmdline_parse(boot_info.cmdline, &cmdline, NULL);
}

static bool open_console(unsigned bit, const char *name, bool (*init)(const char *name))
{
	if (!((cmdline.consoles | cmdline.logs) & bit) || !init(name))
		return false;
	console_set_takes(name, cmdline.consoles & bit, cmdline.logs & bit);
	return true;
}

static void open_serial_console(void)
{
	bool com1 = open_console(CMDLINE_CONSOLE_COM1, "com1", serial_console_init);
	bool com2 = open_console(CMDLINE_CONSOLE_COM2, "com2", serial_console_init);
	unsigned open = com1 * CMDLINE_CONSOLE_COM1 | com2 * CMDLINE_CONSOLE_COM2;
	bool lost = cmdline.logs & ~open & (CMDLINE_CONSOLE_COM1 | CMDLINE_CONSOLE_COM2);

	/* Nobody asked for silence. */
	if (lost) {
		cmdline.logs |= cmdline.consoles;
		console_set_takes("com1", cmdline.consoles & CMDLINE_CONSOLE_COM1, true);
		console_set_takes("com2", cmdline.consoles & CMDLINE_CONSOLE_COM2, true);
	}
	log_set_level(cmdline.loglevel);
	log_info("Alcazar " ALCAZAR_VERSION);
	if (!com1 && !com2)
		log_warn("boot: no serial console");
	else if (lost)
		log_warn("boot: a serial line that is to take log lines is not there: they go to "
			 "the console");
}

/* Beside the serial line, when the boot loader left something to draw on. */
static void open_screen(void)
{
	bool vga = open_console(CMDLINE_CONSOLE_VGA, "vga", screen_console_init);
	bool fb = open_console(CMDLINE_CONSOLE_FB, "fb", screen_console_init);

	if (!vga && !fb)
		log_debug("boot: no screen");
}

static void complain(const char *word, const char *expected)
{
	log_warn("boot: command line: '%s' is not understood, expected %s", word, expected);
}

static void report_boot_info(void)
{
	struct cmdline again;

	if (parse_error)
		panic_try("start this with GRUB's multiboot2 command",
			  "the boot loader's information is unusable");
	log_info("boot: by %s, %s, command line '%s'", boot_info.loader,
		 boot_info.uefi ? "UEFI" : "BIOS", boot_info.cmdline);
	cmdline_parse(boot_info.cmdline, &again, complain);
	if (faults.malformed)
		log_warn("boot: %u tags of the boot loader make no sense; ignored",
			 faults.malformed);
	if (faults.dropped)
		log_warn("boot: %u modules or memory ranges are beyond our limits; ignored",
			 faults.dropped);
	if (faults.cut)
		log_warn("boot: %u strings of the boot loader are too long; cut", faults.cut);
	for (size_t i = 0; i < boot_info.range_count; i++)
		log_debug("boot: memory %#014lx-%#014lx %s", boot_info.ranges[i].start,
			  boot_info.ranges[i].end,
			  (const char *const[]){"RAM", "reserved", "ACPI tables", "ACPI NVS",
						"bad"}[boot_info.ranges[i].type]);
	if (boot_info.fb.present)
		log_debug("boot: %s of %ux%u at %#lx", boot_info.fb.text ? "text" : "framebuffer",
			  boot_info.fb.width, boot_info.fb.height, boot_info.fb.phys);
	for (size_t i = 0; i < boot_info.module_count; i++)
		log_info("boot: module %s, %lu KiB", boot_info.modules[i].name,
			 boot_info.modules[i].size >> 10);
}

/* The place where a panic's text outlives a reset, unless the loader has put something there. */
static void take_panic_card(void)
{
	uint64_t before = memory_total(&free_memory);

	memory_remove(&free_memory, PANIC_CARD_PHYS, PANIC_CARD_PHYS + PANIC_CARD_SIZE);
	panic_card_is_free = before - memory_total(&free_memory) == PANIC_CARD_SIZE;
	if (!panic_card_is_free)
		log_warn("memory: %#lx-%#lx is in use: a panic will not be told after a reset",
			 PANIC_CARD_PHYS, PANIC_CARD_PHYS + PANIC_CARD_SIZE);
}

static void show_last_panic(void)
{
	if (panic_card_is_free)
		panic_card_open(paging_direct(PANIC_CARD_PHYS));
}

/* Which memory is whose. What the firmware uses below 1 MiB is left alone but for the trampoline.
 */
static void sort_memory(void)
{
	const uint64_t image = paging_phys(image_text_start) - 4096; /* .boot lies before */

	memory_free_set(&free_memory, &boot_info);
	memory_direct_set(&direct_memory, &boot_info);
	memory_remove(&free_memory, 0, 4096);
	take_panic_card();
	low_phys = memory_take(&free_memory, SMP_LOW_SIZE, LOW_LIMIT);
	memory_remove(&free_memory, 0, 1 << 20);
	memory_remove(&free_memory, image, paging_phys(image_data_end));
	/* What is not writable in the image is not writable by another address either. */
	memory_remove(&direct_memory, image, paging_phys(image_rodata_end));

	log_info("memory: %lu MiB, %lu MiB of it free; we lie at %#lx",
		 memory_total(&direct_memory) >> 20, memory_total(&free_memory) >> 20, image);
	if (memory_total(&free_memory) < MEMORY_MIN)
		log_warn("memory: too little: %lu MiB are free, at least %lu MiB are needed to "
			 "run a VM",
			 memory_total(&free_memory) >> 20, MEMORY_MIN >> 20);
	if (free_memory.overflow || direct_memory.overflow)
		log_warn("memory: more than %u ranges: some is not used", MEMORY_MAX_RANGES);
}

static void __noreturn out_of_memory(const char *what)
{
	panic_try("give the machine more memory, GRUB fewer or smaller modules",
		  "out of memory for %s: the machine has %lu MiB free; it needs at least %lu MiB",
		  what, memory_total(&free_memory) >> 20, MEMORY_MIN >> 20);
}

static void build_page_tables(void)
{
	host_use_early(&free_memory);
	if (paging_init())
		out_of_memory("page tables");
	for (uint32_t i = 0; i < direct_memory.count; i++) {
		const struct memory_range *r = &direct_memory.ranges[i];

		switch (paging_map_direct(r->start, r->end)) {
		case 0:
			break;
		case -E2BIG:
			log_warn("memory: %#lx-%#lx is beyond our addresses; not used", r->start,
				 r->end);
			memory_remove(&free_memory, r->start, r->end);
			break;
		default:
			out_of_memory("the direct map");
		}
	}
	paging_switch();
}

static void hand_memory_over(void)
{
	for (uint32_t i = 0; i < free_memory.count; i++)
		page_alloc_add(free_memory.ranges[i].start, free_memory.ranges[i].end);
	host_use_allocator();
	for (size_t i = 0; i < boot_info.module_count; i++)
		boot_info.modules[i].data = paging_direct(boot_info.modules[i].phys);
}

static void check_page_tables(void)
{
	struct paging_report report;

	paging_check_wx(&report);
	if (report.wx || report.user || report.low)
		log_error("paging: %lu pages writable and executable, %lu for user mode, %lu below "
			  "our addresses, the first at %#lx",
			  report.wx, report.user, report.low, report.first_bad);
	else
		log_info("paging: W^X holds in all %lu pages of the live tables", report.pages);
}

static void find_tables(void)
{
	static const struct power_ops switches = {
		.reset = machine_reset, .off = machine_off, .can_off = machine_can_off};

	switch (acpi_init(boot_info.rsdp, boot_info.rsdp_size)) {
	case 0:
		break;
	case -ENOENT:
		log_warn("acpi: no tables: one CPU, no I/O APIC, no power-off");
		break;
	default:
		log_error("acpi: the root table is damaged: one CPU, no I/O APIC, no power-off");
	}
	power_register(&switches);
	if (acpi_info.faults)
		log_warn("acpi: %u tables or entries make no sense; ignored", acpi_info.faults);
	if (acpi_info.cpus_beyond)
		log_warn("acpi: %u CPUs beyond the %u that we can use", acpi_info.cpus_beyond,
			 CPU_MAX);
}

static void start_interrupts(void)
{
	pic_silence();
	if (apic_init(acpi_info.lapic_phys))
		out_of_memory("the local APIC");
	apic_init_cpu();
	this_cpu()->apic_id = apic_id();
	ioapic_init();
	log_info("irq: local APIC in %s mode, %u inputs of I/O APICs",
		 apic_is_x2apic() ? "x2APIC" : "xAPIC", ioapic_inputs());
}

static void start_time(void)
{
	uint64_t khz = tsc_calibrate();

	if (!khz)
		panic_try("switch the HPET or ACPI on in the firmware's setup",
			  "no clock of this machine tells how fast the TSC runs: no HPET, PM timer "
			  "or PIT answers");
	time_init(khz);
	apic_timer_init_cpu();
	log_info("time: TSC %lu.%03lu MHz by %s, timer %s", khz / 1000, khz % 1000, tsc_source(),
		 apic_timer_name());
}

/* A machine that cannot run VMs still gets a console. */
static void start_vmm(void)
{
	if (device_types_init())
		panic("two device types have one name: this is a fault of the build");
	vmm_options.apicv = cmdline.apicv;
	vmm_options.msr_areas = cmdline.msr_areas;
	vmm_init();
	vmm_cpu_init();
	vm_config_load_modules();
}

/* Each of the other CPUs begins its life here. */
static void run_cpu(void)
{
	if (sched_cpu_init())
		panic_try("use fewer CPUs (cpus=N on the command line), or give the machine more "
			  "memory",
			  "out of memory for the scheduler of CPU %u", this_cpu()->index);
	vmm_cpu_init();
	__atomic_add_fetch(&cpus_ready, 1, __ATOMIC_RELEASE);
	sched_loop();
}

static void start_cpus(void)
{
	if (low_phys) {
		smp_start(cmdline.cpus, low_phys, time_scale.tsc_khz, run_cpu);
		page_alloc_add(low_phys, low_phys + SMP_LOW_SIZE);
	} else {
		log_warn("smp: no free page below 1 MiB: one CPU only");
	}
	/* A VM is put on any of them, and none is started if one of them cannot run it. */
	while (__atomic_load_n(&cpus_ready, __ATOMIC_ACQUIRE) < cpu_count - 1)
		cpu_pause();
	log_info("smp: %u CPUs run", cpu_count);
}

void boot_main(uint32_t magic, uint64_t mbi_phys)
{
	start_tsc = cpu_rdtsc();

	/* The CPU: exceptions are caught from here on. */
	exceptions_init();
	percpu_init_boot();
	cpu_init();

	/* What we were given, and somewhere to say so. */
	read_boot_info(magic, mbi_phys);
	open_serial_console();
	report_boot_info();

	/* Memory: ours alone, W^X. */
	sort_memory();
	build_page_tables();
	hand_memory_over();
	if (packed_init())
		out_of_memory("the tables of instructions");
	open_screen();
	show_last_panic();

	/* The machine. */
	find_tables();
	start_interrupts();
	start_time();
	slab_init();
	task_init();
	if (sched_cpu_init())
		out_of_memory("the scheduler");
	start_vmm();
	start_cpus();
	check_page_tables();
	console_input_init();
	serial_input_init();
	serial_output_init();
	if (admin_start(cmdline.autostart))
		out_of_memory("the console");

	log_info("boot: ready after %lu ms", time_tsc_to_ns(cpu_rdtsc() - start_tsc) / 1000000);
	sched_loop();
}
