#include "text.h"

static uint64_t
mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	hash ^= hash >> 32;
	return hash;
}

/* Little end first on every machine; where that is the machine's own order,
 * this is one load. */
static uint64_t
gather(const unsigned char *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
	    (uint64_t)at[3] << 24 | (uint64_t)at[4] << 32 |
	    (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 |
	    (uint64_t)at[7] << 56;
}

uint64_t
text_hash(const void *bytes, size_t len, uint64_t seed)
{
	const unsigned char *at = bytes;
	uint64_t hash = mix(seed + 0x9e3779b97f4a7c15U * (len + 1)), word = 0;
	size_t i;

	for (; len >= 8; at += 8, len -= 8)
		hash = (hash ^ mix(gather(at))) * 0x9fb21c651e98df25U;
	for (i = len; i-- > 0;)
		word = word << 8 | at[i];
	return mix((hash ^ mix(word + len)) * 0x9fb21c651e98df25U);
}

uint32_t
text_crc32(const void *bytes, size_t len)
{
	/* Four bits at a time. */
	static const uint32_t SHIFTED[] = { 0, 0x1db71064U, 0x3b6e20c8U,
		0x26d930acU, 0x76dc4190U, 0x6b6b51f4U, 0x4db26158U, 0x5005713cU,
		0xedb88320U, 0xf00f9344U, 0xd6d6a3e8U, 0xcb61b38cU, 0x9b64c2b0U,
		0x86d3d2d4U, 0xa00ae278U, 0xbdbdf21cU };
	const unsigned char *at = bytes;
	uint32_t crc = 0xffffffffU;

	while (len-- > 0) {
		crc ^= *at++;
		crc = crc >> 4 ^ SHIFTED[crc & 15];
		crc = crc >> 4 ^ SHIFTED[crc & 15];
	}
	return ~crc;
}
