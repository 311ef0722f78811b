#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "config_text.h"
#include "jsonline.h"
#include "newfile.h"

static int
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t put;

	while (len > 0) {
		put = write(fd, bytes, len);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return -1;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

/* No secret stands in it, and writers read it: everybody may. */
static int
write_file(const char *path, const struct text *text, struct fault *fault)
{
	int fd = newfile_create(path, fault), error;

	if (fd == -1)
		return -1;
	if (write_all(fd, text->data, text->len) == 0 &&
	    fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
	    newfile_sync_name(path) == 0) {
		close(fd);
		return 0;
	}
	error = errno;
	close(fd);
	unlink(path);
	return fault_errno(fault, error, "cannot write %.150s", path);
}

static void
tell(const char *path)
{
	struct text text = { 0 };

	jsonline_open(&text, NULL, '{');
	jsonline_text(&text, "file", path);
	text_adds(&text, "}\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static int
config_init_run(struct cli *cli)
{
	const char *path = cli->word_count > 0 ? cli->words[0] : "-";
	struct fault fault = { 0 };
	struct text text = { 0 };
	int failed = 0;

	config_text_sample(&text);
	if (strcmp(path, "-") == 0)
		output_data(text_string(&text), text.len);
	else if ((failed = write_file(path, &text, &fault)) == 0 && cli->json)
		tell(path);
	text_free(&text);
	return failed ? cli_fail(cli, &fault) : 0;
}

const struct command COMMAND_CONFIG_INIT = {
	.name = "config init",
	.usage = "config init [FILE]",
	.summary = "a sample file with every key commented",
	.notes = "FILE must not exist; without it, or with -, the sample goes"
		 " to standard output.",
	.words_most = 1,
	.run = config_init_run,
};
