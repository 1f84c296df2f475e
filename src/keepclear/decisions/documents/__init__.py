"""What people hold in their hands: texts, voting sheets, minutes, calendars."""
