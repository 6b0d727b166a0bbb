/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz.h"

#define LARGEST ((size_t)1 << 20)

/* Runs a fuzz target over the files, and the files of the directories, that are given; a broken promise aborts.  Options are libFuzzer's. */
static int
file_replay(const char *path)
{
	uint8_t *bytes = malloc(LARGEST);
	FILE *file = fopen(path, "rb");
	size_t len;

	if (bytes == NULL || file == NULL) {
		perror(path);
		free(bytes);
		if (file != NULL)
			fclose(file);
		return (-1);
	}
	len = fread(bytes, 1, LARGEST, file);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return (1);
}

static int
directory_replay(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char name[4096];
	int count = 0;

	if (directory == NULL) {
		perror(path);
		return (-1);
	}
	while ((entry = readdir(directory)) != NULL && count >= 0) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count = file_replay(name) < 0 ? -1 : count + 1;
	}
	closedir(directory);
	return (count);
}

int
main(int argc, char **argv)
{
	struct stat about;
	int count = 0, done;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		if (stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode))
			done = directory_replay(argv[i]);
		else
			done = file_replay(argv[i]);
		if (done < 0)
			return (1);
		count += done;
	}
	printf("%d inputs replayed\n", count);
	return (count == 0);
}
