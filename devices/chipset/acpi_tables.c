/* SPDX-License-Identifier: BSD-2-Clause */
/* The fixed tables: RSDP, RSDT, XSDT, FADT, FACS, MADT (ACPI 6.4, 5.2). */
#include "devices/chipset/acpi_tables.h"

#include <errno.h>
#include <string.h>

#define ACPI_OEM_ID	   "ALCAZR"
#define ACPI_OEM_TABLE	   "ALCAZAR "
#define ACPI_CREATOR	   "ALCZ"
#define ACPI_REVISION	   1
#define ACPI_ALIGN	   64 /* the FACS needs it */
#define ACPI_SPACE_IO	   1
#define ACPI_MAX_TABLES	   4
#define FADT_REVISION	   5
#define MADT_REVISION	   4
#define MCFG_REVISION	   1
#define RSDP_REVISION	   2
#define RSDP_V1_LENGTH	   20
#define FACS_VERSION	   2
#define NO_C2_LATENCY	   101	/* beyond what is allowed: there is no C2 … */
#define NO_C3_LATENCY	   1001 /* … and no C3 */
#define CMOS_CENTURY	   0x32
#define MADT_TYPE_LAPIC	   0
#define MADT_TYPE_IOAPIC   1
#define MADT_TYPE_OVERRIDE 2
#define MADT_TYPE_NMI	   4
#define MADT_ENABLED	   1
#define MADT_ALL_CPUS	   0xff
#define MADT_PCAT_COMPAT   1	  /* there are 8259s as well */
#define MADT_LEVEL_HIGH	   0x000d /* active high, level-triggered */
#define PIT_GSI		   2

#define FADT_WBINVD	  BIT(0)
#define FADT_PROC_C1	  BIT(2)
#define FADT_SLP_BUTTON	  BIT(5) /* none in the fixed hardware */
#define FADT_FIX_RTC	  BIT(6) /* no wake by the clock there */
#define FADT_TMR_VAL_EXT  BIT(8)
#define FADT_RESET	  BIT(10)
#define FADT_HW_REDUCED	  BIT(20)
#define FADT_BOOT_LEGACY  0x01 /* devices on an ISA bus */
#define FADT_BOOT_8042	  0x02
#define FADT_BOOT_NO_VGA  0x04
#define FADT_BOOT_NO_ASPM 0x10
#define FADT_BOOT_NO_RTC  0x20

void acpi_header_init(struct acpi_header *h, const char *signature, uint8_t revision)
{
	*h = (struct acpi_header){.revision = revision,
				  .oem_revision = ACPI_REVISION,
				  .creator_revision = ACPI_REVISION};
	memcpy(h->signature, signature, sizeof(h->signature));
	memcpy(h->oem_id, ACPI_OEM_ID, sizeof(h->oem_id));
	memcpy(h->oem_table_id, ACPI_OEM_TABLE, sizeof(h->oem_table_id));
	memcpy(h->creator_id, ACPI_CREATOR, sizeof(h->creator_id));
}

static uint8_t acpi_checksum(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (n--)
		sum += *p++;
	return -sum;
}

/* Space for @n bytes, or NULL: then the image is not complete. */
static void *acpi_take(struct acpi_image *image, size_t n, size_t align)
{
	size_t at = ALIGN_UP(image->used, align);

	if (at > image->size || n > image->size - at) {
		image->overflow = true;
		return NULL;
	}
	image->used = at + n;
	return image->data + at;
}

static uint64_t acpi_address_of(const struct acpi_image *image, const void *p)
{
	return image->base + (uint64_t)((const uint8_t *)p - image->data);
}

static void acpi_seal(void *table, size_t length)
{
	struct acpi_header *h = table;

	h->length = (uint32_t)length;
	h->checksum = 0;
	h->checksum = acpi_checksum(table, length);
}

static bool acpi_has_node(const struct acpi_machine *m, const char *hid)
{
	size_t i;

	for (i = 0; i < m->node_count; i++)
		if (!strcmp(m->nodes[i]->hid, hid))
			return true;
	return false;
}

static struct acpi_address acpi_io(uint16_t port, unsigned bytes, uint8_t access)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_IO,
		.bits = (uint8_t)(bytes * 8),
		.access = access,
		.address = port,
	};
}

static void acpi_fadt_pm(struct acpi_fadt *f, const struct acpi_pm *pm)
{
	f->sci = pm->sci;
	f->pm1a_event = pm->pm1_event;
	f->pm1_event_length = 4;
	f->pm1a_control = pm->pm1_control;
	f->pm1_control_length = 2;
	f->timer = pm->timer;
	f->timer_length = 4;
	f->gpe0 = pm->gpe0;
	f->gpe0_length = pm->gpe0_bytes;
	f->x_pm1a_event = acpi_io(pm->pm1_event, 4, 2);
	f->x_pm1a_control = acpi_io(pm->pm1_control, 2, 2);
	f->x_timer = acpi_io(pm->timer, 4, 3);
	f->x_gpe0 = acpi_io(pm->gpe0, pm->gpe0_bytes, 1);
	f->flags |= pm->timer_32 ? (uint32_t)FADT_TMR_VAL_EXT : 0;
}

static const struct acpi_fadt *acpi_put_fadt(struct acpi_image *image, const struct acpi_machine *m,
					     const void *facs, const void *dsdt)
{
	struct acpi_fadt *f = acpi_take(image, sizeof(*f), 8);

	if (!f)
		return NULL;
	acpi_header_init(&f->header, "FACP", FADT_REVISION);
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC;
	f->facs = (uint32_t)acpi_address_of(image, facs); /* or x_facs, not both (5.2.9) */
	f->x_dsdt = f->dsdt = (uint32_t)acpi_address_of(image, dsdt);
	f->c2_latency = NO_C2_LATENCY;
	f->c3_latency = NO_C3_LATENCY;
	f->boot_flags = FADT_BOOT_LEGACY | FADT_BOOT_NO_VGA | FADT_BOOT_NO_ASPM;
	if (acpi_has_node(m, ACPI_HID_KEYBOARD))
		f->boot_flags |= FADT_BOOT_8042;
	if (acpi_has_node(m, ACPI_HID_RTC))
		f->century = CMOS_CENTURY;
	else
		f->boot_flags |= FADT_BOOT_NO_RTC;
	if (m->pm)
		acpi_fadt_pm(f, m->pm);
	else
		f->flags |= FADT_HW_REDUCED;
	if (m->reset) {
		f->flags |= FADT_RESET;
		f->reset = acpi_io(m->reset->port, 1, 1);
		f->reset_value = m->reset->value;
	}
	acpi_seal(f, sizeof(*f));
	return f;
}

static void acpi_madt_put(struct acpi_image *image, const void *entry, size_t n)
{
	void *to = acpi_take(image, n, 1);

	if (to)
		memcpy(to, entry, n);
}

/* IRQ 0 is on pin 2; the SCI is a level; the others are as ISA has them. */
static void acpi_madt_overrides(struct acpi_image *image, const struct acpi_machine *m)
{
	struct acpi_madt_override o = {
		.type = MADT_TYPE_OVERRIDE, .length = sizeof(o), .gsi = PIT_GSI};

	acpi_madt_put(image, &o, sizeof(o));
	if (!m->pm)
		return;
	o.irq = m->pm->sci;
	o.gsi = m->pm->sci;
	o.flags = MADT_LEVEL_HIGH;
	acpi_madt_put(image, &o, sizeof(o));
}

static const struct acpi_madt *acpi_put_madt(struct acpi_image *image, const struct acpi_machine *m)
{
	struct acpi_madt *madt = acpi_take(image, sizeof(*madt), 8);
	struct acpi_madt_lapic cpu = {MADT_TYPE_LAPIC, sizeof(cpu), 0, 0, MADT_ENABLED};
	struct acpi_madt_nmi nmi = {MADT_TYPE_NMI, sizeof(nmi), MADT_ALL_CPUS, 0, 1};
	struct acpi_madt_ioapic io = {.type = MADT_TYPE_IOAPIC, .length = sizeof(io)};
	size_t i;

	if (!madt)
		return NULL;
	acpi_header_init(&madt->header, "APIC", MADT_REVISION);
	madt->lapic = m->lapic->address;
	madt->flags = acpi_has_node(m, ACPI_HID_PIC) ? MADT_PCAT_COMPAT : 0;
	for (i = 0; i < m->cpus; i++) {
		cpu.uid = cpu.id = (uint8_t)i;
		acpi_madt_put(image, &cpu, sizeof(cpu));
	}
	for (i = 0; i < m->ioapic_count; i++) {
		io.id = m->ioapics[i]->id;
		io.address = m->ioapics[i]->address;
		io.gsi_base = m->ioapics[i]->gsi_base;
		acpi_madt_put(image, &io, sizeof(io));
	}
	if (m->ioapic_count)
		acpi_madt_overrides(image, m);
	acpi_madt_put(image, &nmi, sizeof(nmi));
	if (!image->overflow)
		acpi_seal(madt, (size_t)(image->data + image->used - (uint8_t *)madt));
	return madt;
}

static const struct acpi_mcfg *acpi_put_mcfg(struct acpi_image *image, const struct acpi_pci *pci)
{
	struct acpi_mcfg *mcfg = acpi_take(image, sizeof(*mcfg), 8);

	if (!mcfg)
		return NULL;
	acpi_header_init(&mcfg->header, "MCFG", MCFG_REVISION);
	mcfg->base = pci->ecam;
	mcfg->bus_last = pci->bus_last;
	acpi_seal(mcfg, sizeof(*mcfg));
	return mcfg;
}

static const void *acpi_put_facs(struct acpi_image *image)
{
	struct acpi_facs *facs = acpi_take(image, sizeof(*facs), ACPI_ALIGN);

	if (!facs)
		return NULL;
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = FACS_VERSION;
	return facs;
}

static const void *acpi_put_dsdt(struct acpi_image *image, const struct acpi_machine *m)
{
	uint8_t *dsdt = acpi_take(image, 0, 8);
	bool overflow = true;
	size_t n = 0;

	if (dsdt)
		n = acpi_dsdt_build(m, dsdt, image->size - image->used, &overflow);
	if (overflow) {
		image->overflow = true;
		return NULL;
	}
	image->used += n;
	acpi_seal(dsdt, n);
	return dsdt;
}

/* @width: 4 for the RSDT, 8 for the XSDT. */
static const void *acpi_put_root(struct acpi_image *image, const char *signature,
				 const void *const tables[], size_t count, size_t width)
{
	uint8_t *root = acpi_take(image, sizeof(struct acpi_header) + count * width, 8);
	struct acpi_header header;
	uint64_t address;
	size_t i;

	if (!root)
		return NULL;
	acpi_header_init(&header, signature, 1);
	memcpy(root, &header, sizeof(header));
	for (i = 0; i < count; i++) {
		address = acpi_address_of(image, tables[i]);
		memcpy(root + sizeof(header) + i * width, &address, width);
	}
	acpi_seal(root, sizeof(header) + count * width);
	return root;
}

static void acpi_fill_rsdp(struct acpi_image *image, struct acpi_rsdp *r, const void *rsdt,
			   const void *xsdt)
{
	memcpy(r->signature, "RSD PTR ", sizeof(r->signature));
	memcpy(r->oem_id, ACPI_OEM_ID, sizeof(r->oem_id));
	r->revision = RSDP_REVISION;
	r->rsdt = (uint32_t)acpi_address_of(image, rsdt);
	r->xsdt = acpi_address_of(image, xsdt);
	r->length = sizeof(*r);
	r->checksum = acpi_checksum(r, RSDP_V1_LENGTH);
	r->checksum_all = acpi_checksum(r, sizeof(*r));
}

int acpi_image_build(struct acpi_image *image, const struct acpi_machine *m)
{
	struct acpi_rsdp *rsdp = acpi_take(image, sizeof(*rsdp), 16);
	const void *facs = acpi_put_facs(image), *dsdt = acpi_put_dsdt(image, m);
	const void *tables[ACPI_MAX_TABLES], *rsdt, *xsdt;
	size_t count = 0;

	if (image->overflow)
		return -ENOSPC;
	tables[count++] = acpi_put_fadt(image, m, facs, dsdt);
	if (m->lapic)
		tables[count++] = acpi_put_madt(image, m);
	if (m->pci)
		tables[count++] = acpi_put_mcfg(image, m->pci);
	if (image->overflow)
		return -ENOSPC;
	rsdt = acpi_put_root(image, "RSDT", tables, count, 4);
	xsdt = acpi_put_root(image, "XSDT", tables, count, 8);
	if (image->overflow)
		return -ENOSPC;
	acpi_fill_rsdp(image, rsdp, rsdt, xsdt);
	return 0;
}
