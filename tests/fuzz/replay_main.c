/*
 * Feeds every file of the folders named to a fuzz target, for compilers
 * without libFuzzer.  An empty corpus is a failure: nothing was tried.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Return the file's bytes, of which there are *${size}; or NULL. */
static uint8_t *
slurp(const char *path, size_t *size)
{
	enum {
		LARGEST = 1 << 20
	};
	uint8_t *data;
	FILE *file;

	if ((file = fopen(path, "rb")) == NULL)
		return NULL;
	if ((data = malloc(LARGEST)) != NULL)
		*size = fread(data, 1, LARGEST, file);
	fclose(file);
	return data;
}

/* Each input in a block of its own length: a sanitizer sees one byte more. */
static int
replay_file(const char *path)
{
	uint8_t *data, *exact;
	size_t size = 0;

	if ((data = slurp(path, &size)) == NULL ||
	    (exact = malloc(size + (size == 0))) == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	memcpy(exact, data, size);
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 1;
}

static int
replay_folder(const char *folder)
{
	struct dirent *entry;
	char path[4096];
	int files = 0;
	DIR *dir;

	if ((dir = opendir(folder)) == NULL) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		exit(1);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		files += replay_file(path);
	}
	closedir(dir);
	return files;
}

int
main(int argc, char *argv[])
{
	int files = 0;

	for (int i = 1; i < argc; i++)
		files += replay_folder(argv[i]);
	printf("replayed %d inputs\n", files);
	return files == 0;
}
