"""Other people's files, edited without loss: `parse(text).text == text`, and an edit touches what it names."""
